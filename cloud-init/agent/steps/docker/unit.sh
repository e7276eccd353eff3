# docker.service, and what its command says beside us.

read_docker_unit() {
  look_at_docker_words
  case $DOCKER_ENABLED$words in
  masked* | */*) ;;
  *) fail 'docker.service has no ExecStart: see systemctl cat docker.service' ;;
  esac
}

# What dockerd gets behind its command has to reach it.
check_docker_command() {
  case " $DOCKER_COMMAND_FLAGS " in
  *' no-env-expand '*) refuse "docker.service's ExecStart begins with a colon, so that systemd puts no variable in, nor the mesh's options: take the colon away" ;;
  esac
  shell=$(printf '%s\n' "$words" | awk '{ name = $0; sub(/.*\//, "", name) }
    name ~ /^(ba|da|a|k|mk|z|fi)?sh$/ { shell = $0; next }
    shell != "" && /^-[A-Za-z]*c$/ { print shell, $0; exit }
    !/^-/ { shell = "" }')
  [ -z "$shell" ] || refuse "docker.service starts dockerd by $(printable "$shell"), which hands none of the mesh's options on: let its ExecStart be dockerd itself, with what the shell does in ExecStartPre or Environment"
}

# Of two flags of one name dockerd takes the last, ours, in silence, or both, and some do not go together with ours: the first
# such one. Words on stdin.
stranger() {
  awk -v ours="$WANTED" '
    BEGIN {
      for (n = split(ours, word, " "); n; n--) {
        mine[word[n]]
        sub(/=.*/, "", word[n])
        flag[word[n]]
      }
      if ("--bip" in flag) {
        flag["-b"]
        flag["--bridge"]
        flag["--default-gateway"]
      }
      if ("--fixed-cidr-v6" in flag) {
        flag["--bip6"]
        flag["--default-gateway-v6"]
      }
    }
    found != "" {
      if (!/^-/) found = found " " $0
      exit
    }
    {
      name = $0
      sub(/=.*/, "", name)
      if (name ~ /^-b/) name = "-b"
      if (name in flag && !($0 in mine)) {
        found = $0
        if (index($0, "=")) exit
      }
    }
    END { print found }'
}

check_docker_flags() {
  check_docker_command
  clash=$(printf '%s\n' "$words" | stranger)
  theirs=''
  for file in $DOCKER_ENVIRONMENTS; do
    case $file in /etc/meshboot/*) ;; *) theirs="$theirs, $file" ;; esac
  done
  [ -z "$clash" ] || refuse "docker.service starts dockerd with $(printable "$clash"), which meshboot sets itself, or which excludes that: remove it from its ExecStart, Environment or EnvironmentFile${theirs:+ (${theirs#, })}"
}

write_docker_files() {
  guard_pool
  put_our_options "$options"
  write_docker_unit
}
