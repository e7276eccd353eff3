# up, step 9: dockerd.

# docker.service's files as arguments, in systemd's order: `file command` of the ExecStart that wins.
exec_start() { # FILE...
  awk '
    FNR == 1 { section = ""; more = 0 }
    more && /^[ \t]*[#;]/ { next }
    { line = more ? line " " $0 : $0; more = sub(/[ \t]*\\$/, "", line) }
    more { next }
    line ~ /^[ \t]*\[/ { section = line }
    section ~ /\[Service\]/ && line ~ /^[ \t]*ExecStart[ \t]*=/ { sub(/^[^=]*=/, "", line); $0 = line; $1 = $1; command = $0; file = FILENAME }
    END { print file, command }' "$@"
}

# docker.service's files but for ours, in systemd's order.
docker_unit_files() {
  for file in $(unit_value docker FragmentPath) $(unit_value docker DropInPaths); do
    case $file in
    *-meshboot.conf) ;;
    *) echo "$R$file" ;;
    esac
  done
}

write_docker_files() {
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
  [ -s "$STATE/pools" ] || outer_pools | put_file /var/lib/meshboot/pools 600
  options=$(docker_options | tr '\n' ' ')
  options=${options% }
  echo "MESHBOOT_OPTIONS=\"$options\"" | put_file /etc/meshboot/dockerd.env 644
  put_file $UNITS/docker.service.d/$name 644 <<EOF
[Service]
EnvironmentFile=-/etc/meshboot/dockerd.env
ExecStartPre=-/usr/local/sbin/meshboot rules
ExecStart=
ExecStart=$start \$MESHBOOT_OPTIONS
EOF
  dry || rm -f "$R$UNITS/docker.service.d/$other"
}

docker_has_options() {
  [ -n "$options" ] || return 1
  case $(read_file "$R/proc/$(unit_value docker MainPID)/cmdline" | tr '\0' ' ') in
  *" $options "*) return 0 ;;
  *) return 1 ;;
  esac
}

# Not one that somebody disabled, nor one that somebody stopped after it had its options: neither is ours to start.
is_docker_to_start() {
  if [ -e "$RUN/masked" ]; then
    return 0
  fi
  case $(systemctl is-enabled docker.service 2>/dev/null) in disabled | masked*) return 1 ;; esac
  [ ! -s "$STATE/docker0" ] || [ "$(systemctl is-active docker.service 2>/dev/null)" = failed ]
}

# Debian's unit allows three starts a minute: those of ours do not count.
start_docker() {
  systemctl reset-failed docker.service 2>/dev/null || :
  systemctl restart docker.service
}

configure_docker() {
  STEP=dockerd
  install_docker
  if [ -e "$RUN/masked" ]; then
    run systemctl -q unmask --runtime docker.service docker.socket
    # The package enables its units when it is installed, but not masked ones: without this dockerd stays down after a reboot.
    if has dockerd; then
      run systemctl -q enable docker.service docker.socket
    fi
  fi
  if ! has dockerd; then
    say "no dockerd yet (DOCKER=$DOCKER): it gets its options as soon as it is there"
    return 0
  fi
  check_daemon_json
  reload_unit docker
  write_docker_files
  reload_unit docker
  if is_running docker; then
    if docker_has_options; then
      return 0
    fi
    say "restarts dockerd, $(docker ps -q 2>/dev/null | wc -l) containers running"
  elif ! is_docker_to_start; then
    say 'docker.service is disabled or stopped: it has its options, and is not started'
    return 0
  fi
  # Where `down` brings docker0 back to.
  [ -s "$STATE/docker0" ] || ip -o -4 addr show docker0 2>/dev/null | awk '{ a = $4 } END { print a ? a : "172.17.0.1/16" }' | put_file /var/lib/meshboot/docker0 600
  say "starts dockerd with $options"
  run start_docker || fail "dockerd does not start: $(journalctl -u docker.service -n 30 --no-pager -o cat 2>/dev/null | grep -iE 'fail|error|unable' | tail -n 1)"
  run rm -f "$RUN/masked"
}

# dockerd makes docker0 anew at each start, as its own store has it, unless it is told an address: so one start with the
# address of before us, which it then remembers. With live-restore containers hang on docker0, and it stays as it is.
stop_docker() {
  options=$(our_options)
  restart=$(true_or_false docker_has_options)
  if $restart; then
    say "restarts dockerd without the mesh's options, in two steps"
    if [ -s "$STATE/docker0" ]; then
      echo "MESHBOOT_OPTIONS=\"--bip=$(read_file "$STATE/docker0")\"" | put_file /etc/meshboot/dockerd.env 644
      start_docker || :
    fi
    systemctl stop docker.socket docker.service || :
    if [ -z "$(ls "$R/sys/class/net/docker0/brif" 2>/dev/null)" ]; then
      ip link del docker0 2>/dev/null || :
    fi
  fi
  drop_files docker
  systemctl daemon-reload
}
