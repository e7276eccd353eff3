# docker.service, and our drop-in for it.

# dockerd's own command as `start`, and as `name` what our drop-in is to be called.
read_docker_unit() {
  # shellcheck disable=SC2046 # paths of units hold no blanks
  start=$(exec_start $(docker_unit_files) </dev/null)
  from=${start%% *}
  from=${from##*/}
  start=${start#* }
  [ -n "$start" ] || fail 'docker.service has no ExecStart: see systemctl cat docker.service'
  # systemd reads drop-ins by name. Behind one of the user's own that would win over 50-meshboot.conf, ours is called zz.
  name=50-meshboot.conf
  other=zz-50-meshboot.conf
  if [ "$from" != docker.service ] && [ "$(printf '%s\n' "$from" $name | sort | head -n 1)" = $name ]; then
    name=zz-50-meshboot.conf
    other=50-meshboot.conf
  fi
}

# Of two flags of one name dockerd takes the last, ours, in silence, or both: the user's own are named instead.
check_docker_flags() {
  clash=$({
    echo "$start"
    for file in $DOCKER_ENVIRONMENTS; do
      case $file in
      /etc/meshboot/*) ;;
      *) read_file "$R$file" | sed '/^[[:space:]]*#/d' ;;
      esac
    done
  } | awk -v ours="$WANTED" '
    BEGIN {
      for (n = split(ours, word, " "); n; n--) {
        mine[word[n]]
        sub(/=.*/, "", word[n])
        flag[word[n]]
      }
      if ("--bip" in flag) {
        flag["-b"]
        flag["--bridge"]
      }
    }
    {
      gsub(/["\047]/, " ")
      for (i = 1; i <= NF; i++) {
        sub(/^[A-Za-z_0-9]+=/, "", $i)
        name = $i
        sub(/=.*/, "", name)
        if (name in flag && !($i in mine)) {
          print $i (name == $i && $(i + 1) ~ /^[^-]/ ? " " $(i + 1) : "")
          exit
        }
      }
    }')
  [ -z "$clash" ] || refuse "docker.service starts dockerd with $(printable "$clash"), which meshboot sets itself: remove it from its ExecStart or $DOCKER_ENVIRONMENTS"
}

write_docker_unit() {
  put_file "$UNITS/docker.service.d/$name" 644 <<EOF
[Service]
EnvironmentFile=-/etc/meshboot/dockerd.env
ExecStartPre=-/usr/local/sbin/meshboot rules
ExecStart=
ExecStart=$start \$MESHBOOT_OPTIONS
EOF
  if [ -e "$R$UNITS/docker.service.d/$other" ]; then
    run rm -f "$R$UNITS/docker.service.d/$other"
    run touch "$RUN/reload"
  fi
  reload_written
}

write_docker_files() {
  guard_pool
  echo "MESHBOOT_OPTIONS=\"$options\"" | put_file /etc/meshboot/dockerd.env 644
  write_docker_unit
}
