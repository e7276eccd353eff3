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
  for file in $DOCKER_FRAGMENT $DOCKER_DROPINS; do
    case $file in
    *-meshboot.conf) ;;
    *) echo "$R$file" ;;
    esac
  done
}

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
  put_file $UNITS/docker.service.d/$name 644 <<EOF
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

# Whether dockerd runs with each of `options`, and with none of an earlier time that is not WANTED any more.
docker_runs_with_options() {
  line=$(read_file "$R/proc/$DOCKER_PID/cmdline" | tr '\0' ' ')
  for word in $options; do
    case $line in *" $word "*) ;; *) return 1 ;; esac
  done
  for word in $(our_options); do
    case " $WANTED " in *" $word "*) ;; *) return 1 ;; esac
  done
}

# Whether dockerd runs with what is in our file.
docker_has_options() {
  options=$(our_options)
  WANTED=$options
  [ -e "$ETC/dockerd.env" ] && look_at_docker && docker_runs_with_options
}

# Where `down` brings docker0 back to, from when it is moved; where there was none, a range that nobody uses, or `none`.
remember_docker0() {
  read_line "$STATE/docker0"
  case $LAYOUT$LINE in
  compose) echo untouched | put_file /var/lib/meshboot/docker0 600 ;;
  split | bridge | [sb]*untouched)
    read_line "$STATE/pools"
    ip -o -4 addr show docker0 2>/dev/null | awk -v free="$LINE" '{ a = $4 } END { print a ? a : sub("0/16", "1/16", free) ? free : "none" }' | put_file /var/lib/meshboot/docker0 600
    ;;
  esac
}

# While live-restore keeps containers through a restart, dockerd leaves docker0 as it was.
docker0_has_address() {
  case $WANTED in
  *--bip=*)
    address=${WANTED#*--bip=}
    ip -o -4 addr show docker0 2>/dev/null | grep -qF " ${address%% *} "
    ;;
  esac
}

# $RUN/restarting: that a restart was decided, the dockerd that was to end, and what ran in it. Empty: that a start was.
needs_restart() {
  if [ -e "$RUN/restarting" ] && [ "$(head -n 1 "$RUN/restarting")" = "$DOCKER_PID" ]; then
    return 0
  fi
  ! docker_runs_with_options || ! docker0_has_address || { [ "$RESTART_DOCKER$AGREED" != off ] && [ -n "$gap" ]; }
}

# Not one that somebody disabled, nor one that somebody stopped after it had its options: neither is ours to start.
is_docker_to_start() {
  if [ -e "$STATE/masked" ] || [ -e "$RUN/restarting" ]; then
    return 0
  fi
  case $DOCKER_ENABLED in disabled | masked*) return 1 ;; esac
  [ ! -s "$STATE/docker0" ] || [ "$DOCKER_STATE" = failed ]
}

# A dockerd that hangs does not keep the lock.
patiently() { # SECONDS docker WORD...
  rc=0
  timeout "$@" 2>/dev/null </dev/null || rc=$?
  [ $rc != 124 ] || warn "docker $3 does not end: see systemctl status docker"
  return $rc
}

# Our own ipv6nat is not counted: its unit starts it.
running_containers() { # ID|Names
  patiently 60 docker ps --format "{{.$1}} {{.Names}}" >"$TMP/containers" || return 1
  awk '$2 != "meshboot-ipv6nat" { print $1 }' "$TMP/containers"
}

note_containers() {
  {
    echo "$DOCKER_PID"
    running_containers ID || :
  } >"$TMP/restarting"
  mv "$TMP/restarting" "$RUN/restarting"
}

# What containers hang on does not change before somebody has agreed: not now, and not at the next reboot.
decide_restart() {
  if [ -s "$RUN/restarting" ]; then
    return 0
  fi
  if [ "$RESTART_DOCKER$AGREED" = off ] && [ ! -e "$RUN/restart-docker" ]; then
    running_containers Names >"$TMP/names" || refuse 'dockerd needs a restart, and docker ps fails, so that nobody knows what would stop: is docker-cli there? See systemctl status docker'
    [ ! -s "$TMP/names" ] || refuse "$(awk 'NR < 6 { t = t (NR > 1 ? ", " : "") $0 } END { print NR " container" (NR > 1 ? "s" : "") " (" t (NR > 5 ? ", ..." : "") ")" }' "$TMP/names") would restart with dockerd, which needs the mesh's options. All else is done, and dockerd stays as it is, after a reboot too. When it suits: meshboot up --restart-docker, or RESTART_DOCKER=on in $CONF"
  fi
  dry || note_containers
}

# Debian's unit allows three starts a minute: those of ours do not count.
start_docker() {
  systemctl reset-failed docker.service 2>/dev/null || :
  systemctl restart docker.service
}

# The containers of before: live-restore would keep them, and with them docker0's address; and not each has a restart policy.
restart_docker() {
  ids=$(read_file "$RUN/restarting" | sed 1d)
  if [ -n "$ids" ] && [ "$(patiently 60 docker info -f '{{.LiveRestoreEnabled}}')" = true ]; then
    # shellcheck disable=SC2086 # ids, one word each
    patiently 300 docker stop $ids >/dev/null || :
  fi
  case ${IPV6NAT:-} in
  off | container)
    # What dockerd made in ip6tables stays when it is told to keep out of there. Its next start loads our own rules again.
    systemctl stop docker.service 2>/dev/null || :
    use_tool drop_docker_rules6 "Docker's IPv6 rules stay"
    ;;
  esac
  start_docker
}

# The end of a restart, also of one that a kill came upon.
finish_restart() {
  ids=$(read_file "$RUN/restarting" | sed 1d)
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2086 # as above
    run patiently 300 docker start $ids >/dev/null || :
  fi
  for file in "$RUN/restarting" "$RUN/restart-docker" "$STATE/masked"; do
    [ ! -e "$file" ] || run rm -f "$file"
  done
}

# It was masked while it was installed. A mask of somebody else's is not ours to take away.
unmask_docker() {
  if [ -e "$STATE/masked" ] && { [ -L "$R/run/systemd/system/docker.service" ] || [ -L "$R/run/systemd/system/docker.socket" ]; }; then
    run systemctl -q unmask --runtime docker.service docker.socket
  fi
}

configure_docker() {
  STEP=dockerd
  check_other_docker
  [ -s "$STATE/pools" ] || outer_pools | put_file /var/lib/meshboot/pools 600
  # Before anything is installed for nothing. What depends on dockerd's version is seen then.
  has dockerd || choose_options
  install_docker
  unmask_docker
  if ! has dockerd; then
    say "no dockerd yet (DOCKER=$DOCKER): it gets its options as soon as it is there"
    return 0
  fi
  look_at_docker
  # The package enables its units when it is installed, but not masked ones: without this dockerd stays down after a reboot.
  if [ -e "$STATE/masked" ] && [ "$DOCKER_ENABLED" != enabled ]; then
    run systemctl -q enable docker.service docker.socket
  fi
  if [ "$DOCKER_STATE" = activating ]; then
    # Waits until it has started: only then docker0 has its address.
    run systemctl start docker.service || :
    look_at_docker
  fi
  [ "$DOCKER_RELOAD" != yes ] || run touch "$RUN/reload"
  reload_written
  read_docker_unit
  check_layout
  choose_options
  check_docker_flags
  gap=$(docker_gap)
  [ -z "$gap" ] || warn "$gap"
  case $DOCKER_STATE in
  active | activating | reloading)
    if ! needs_restart; then
      write_docker_files
      remember_docker0
      finish_restart
      return 0
    fi
    decide_restart
    ;;
  *)
    if ! is_docker_to_start; then
      use_tool check_rootless_docker 'whether dockerd runs rootless is not looked at'
      write_docker_files
      say 'docker.service is disabled or stopped: it has its options, and is not started'
      return 0
    fi
    run touch "$RUN/restarting"
    ;;
  esac
  write_docker_files
  remember_docker0
  change "LAYOUT=$LAYOUT: starts dockerd with ${options:-no options of ours}"
  run restart_docker || fail "dockerd does not start: $(journalctl -u docker.service -t dockerd -n 30 --no-pager -o cat 2>/dev/null | grep -iE 'fail|error|unable' | tail -n 1). Mend that, then meshboot up"
  if [ "$LAYOUT" = compose ]; then
    # dockerd leaves there what it had by the layout before.
    run ip -6 addr flush dev docker0 to "$SUBNET6"
    run ip -6 route flush dev docker0 root "$SUBNET6"
  fi
  finish_restart
}

# dockerd makes docker0 anew at each start, as its own store has it, unless it is told an address: so one start with the
# address of before us, which it then remembers. $RUN/restarting stays until `down` has started dockerd again.
stop_docker() {
  if [ -n "$(our_options)" ] && docker_has_options && [ ! -s "$RUN/restarting" ]; then
    note_containers
  fi
  if [ -s "$RUN/restarting" ]; then
    say "restarts dockerd without the mesh's options, in two steps"
    before=$(docker0_before)
    if [ -n "$before" ]; then
      echo "MESHBOOT_OPTIONS=\"--bip=$before\"" | put_file /etc/meshboot/dockerd.env 644
      restart_docker || :
    fi
    systemctl stop docker.socket docker.service || :
  fi
  if [ -n "$(our_options)" ] && ! is_running docker && [ -z "$(ls "$R/sys/class/net/docker0/brif" 2>/dev/null)" ]; then
    ip link del docker0 2>/dev/null || :
  fi
  drop_files docker
  systemctl daemon-reload
}
