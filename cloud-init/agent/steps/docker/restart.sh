# Restarts of dockerd, with consent and without loss.

needs_restart() {
  is_restart_noted || ! is_docker_in_force || { [ "$RESTART_DOCKER$AGREED" != off ] && [ -n "$gap" ] && ! was_in_vain; }
}

is_docker_in_force() {
  docker_runs_with_options && docker0_has_address
}

# What a start of dockerd is made of, as far as it can be seen.
attempt() {
  echo "${gap:+its rules are gone}"
  echo "$options"
  printf '%s\n' "$words"
}

# Whether dockerd was started with just that before, and it did not help. Who asks for a restart gets one.
was_in_vain() {
  [ "$AGREED" != yes ] && attempt | cmp -s - "$STATE/in-vain"
}

# Some commands hand nothing on, and some files only count for somebody else: one start shows it, a second one would only stop
# the containers again.
check_it_helped() {
  for _ in 1 2 3 4 5; do
    look_at_docker
    gap=$(docker_gap)
    if is_docker_in_force && [ -z "$gap" ]; then
      rm -f "$STATE/in-vain"
      return 0
    fi
    sleep 1
  done
  attempt | put_file /var/lib/meshboot/in-vain 600
  is_docker_in_force || refuse_in_vain
}

refuse_in_vain() {
  docker_runs_with_options || [ -n "$missing" ] ||
    refuse "dockerd was started, and runs $(options_not_in_force): see systemctl cat docker.service and systemctl show-environment. meshboot up --restart-docker tries again"
  docker_runs_with_options || refuse "dockerd was started, and runs $(options_not_in_force): $(printable "$(printf '%s\n' "$words" | head -n 1)"), by which docker.service starts it, does not hand on what stands behind it. Let ExecStart be dockerd itself; meshboot up --restart-docker tries again"
  refuse "dockerd was started with${options:+ $options}, and docker0 has not got its address: see journalctl -u docker. meshboot up --restart-docker tries again"
}

# Not one that somebody disabled, nor one that somebody stopped after it had its options: neither is ours to start.
is_docker_to_start() {
  if [ -e "$STATE/masked" ] || [ -e "$RUN/restarting" ]; then
    return 0
  fi
  case $DOCKER_ENABLED in disabled | masked*) return 1 ;; esac
  [ ! -s "$STATE/docker0" ] || [ "$DOCKER_STATE" = failed ]
}

# Refuses, by name, what would hit running containers.
refuse_containers() { # WHAT-HAPPENS
  names=$(name_containers) || refuse 'dockerd needs a restart, and docker ps fails, so that nobody knows what would stop: is docker-cli there? See systemctl status docker'
  [ -z "$names" ] || refuse "$names would $1"
}

# A restart that nobody has agreed to.
ask_for_restart() { # WHY-AND-WHAT-TO-DO
  if [ "$RESTART_DOCKER$AGREED" = off ] && ! was_agreed_lately; then
    refuse_containers "restart with dockerd, $1"
  fi
}

# What containers hang on does not change before somebody has agreed: not now, and not at the next reboot.
decide_restart() {
  if is_restart_noted; then
    return 0
  fi
  drop_note
  ask_for_restart "which needs the mesh's options. All else is done, and dockerd stays as it is, after a reboot too. When it suits: meshboot up --restart-docker, or RESTART_DOCKER=on in $CONF"
}

# `said`, dockerd's own last word, and `pre`, what failed ahead of it.
look_for_last_word() {
  journalctl --sync 2>/dev/null || :
  said=$(journalctl -q ${DOCKER_INVOCATION:+"_SYSTEMD_INVOCATION_ID=$DOCKER_INVOCATION"} -u docker.service -t dockerd -n 50 --no-pager -o cat 2>/dev/null |
    awk '/^time=/ && !/ level=(error|fatal|panic) / { next } /[Ff]ail|[Ee]rror|unable|unknown|invalid/ { found = $0 } { last = $0 } END { print found != "" ? found : last }')
  pre=$(systemctl show -p ExecStartPre docker.service 2>/dev/null |
    sed -n 's/.* argv\[\]=\(.*\) ; ignore_errors=no ; .* status=[1-9][0-9]*\(\/.*\)\{0,1\} }$/\1/p' | tail -n 1)
}

# Of a docker.service that did not start: what failed before dockerd, or dockerd's own last word. What it said while the one before
# was stopped is not that.
why_not_started() {
  before=$DOCKER_INVOCATION
  look_at_docker
  if [ "$DOCKER_INVOCATION" = "$before" ]; then
    needed=''
    for unit in $(systemctl show -p Requires,Requisite,BindsTo docker.service 2>/dev/null | sed 's/^[^=]*=//'); do
      ! systemctl -q is-failed "$unit" || needed=$unit
    done
    echo "docker.service does not start: ${needed:-something that it needs} failed before it: systemctl status ${needed:-docker.service}"
    return 0
  fi
  # systemd starts it again by itself, as another invocation, and what the one before said may come late.
  for _ in 1 2 3 4 5; do
    look_for_last_word
    [ -z "$said$pre" ] || break
    sleep 1
    look_at_docker
  done
  if [ -n "$said" ]; then
    printf '%s\n' "dockerd does not start: $(printable "$said")"
  else
    printf '%s\n' "docker.service does not start, and dockerd was not reached${pre:+: its ExecStartPre $(printable "$pre") failed}: journalctl -u docker"
  fi
}

# The containers of before: live-restore would keep them, and with them docker0's address; and not each has a restart policy.
restart_docker() {
  DOCKER_STOPPED=yes
  ids=$(noted_containers)
  if [ -n "$ids" ] && [ "$(patiently 60 docker info -f '{{.LiveRestoreEnabled}}')" = true ]; then
    # shellcheck disable=SC2086 # ids, one word each
    patiently 300 docker stop $ids >/dev/null || :
  fi
  case ${IPV6NAT:-} in
  off | container)
    # What dockerd made in ip6tables stays when it is told to keep out of there. Its next start loads our own rules again.
    systemctl stop docker.service 2>/dev/null || :
    drop_docker_rules6
    ;;
  *)
    # Until then the lock says so, which goes with this run, however that ends.
    if [ -n "$RULED" ] && [ -z "$ids" ]; then
      (
        flock 8
        start_docker restart
      ) 8>"$RUN/ruled"
      return
    fi
    ;;
  esac
  start_docker restart
}

# The end of a restart, also of one that a kill came upon.
finish_restart() {
  start_noted_containers
  for file in "$RUN/restart-docker" "$STATE/masked"; do
    [ ! -e "$file" ] || run rm -f "$file"
  done
}
