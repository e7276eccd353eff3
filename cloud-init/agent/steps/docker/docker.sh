# dockerd gets its options.

# dockerd as it is installed, enabled and past its start.
settle_docker() {
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
  if [ -e "$RUN/reload" ]; then
    reload_written
    look_at_docker
  fi
}

# What dockerd is to get, unless something of the user's contradicts it.
agree_on_options() {
  read_docker_unit
  check_layout
  choose_options
  check_docker_flags
  gap=$(docker_gap)
  [ -z "$gap" ] || warn "$gap"
  old_address_users >"$TMP/old-address"
  while IFS= read -r who; do
    warn "$who, where docker0 was. It has $GATEWAY4 with LAYOUT=$LAYOUT: put that there, then systemctl restart docker"
  done <"$TMP/old-address"
}

# Whether dockerd is to stay as it runs, to restart or start with its options, or to get them and stay off, as somebody wants it.
decide_docker() {
  case $DOCKER_STATE in
  active | activating | reloading)
    docker_is_to=stay
    if needs_restart; then
      docker_is_to=restart
      ! was_in_vain || refuse_in_vain
    fi
    ;;
  *)
    docker_is_to=start
    is_docker_to_start || docker_is_to=stay_off
    ;;
  esac
}

start_with_options() {
  change "LAYOUT=$LAYOUT: starts dockerd with ${options:-no options of ours}"
  [ "$docker_is_to" = start ] || begin_restart
  if ! run restart_docker; then
    # It would not start a second time either. One that systemd has not stopped may lack containers.
    [ "$(systemctl is-active docker.service 2>/dev/null)" = active ] || DOCKER_STOPPED=''
    fail "$(why_not_started). Correct that, then meshboot up"
  fi
  if [ "$LAYOUT" = compose ]; then
    # dockerd leaves there what it had by the layout before.
    run ip -6 addr flush dev docker0 to "$SUBNET6"
    run ip -6 route flush dev docker0 root "$SUBNET6"
  fi
  finish_restart
  dry || check_it_helped
}

docker_up() {
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
  settle_docker
  agree_on_options
  tell_of_mtu
  decide_docker
  case $docker_is_to in
  restart) decide_restart ;;
  start) run touch "$RUN/restarting" ;;
  stay_off) check_rootless_docker ;;
  esac
  write_docker_files
  [ $docker_is_to = stay_off ] || remember_docker0
  case $docker_is_to in
  stay) finish_restart ;;
  stay_off) say 'docker.service is disabled or stopped: it has its options, and is not started' ;;
  *) start_with_options ;;
  esac
}

# Its networks and containers by files of its own. Where those of networks are not, nothing can be told.
docker_state() {
  ! has dockerd || [ -e "$R$DOCKER_NETWORKS" ] || return 1
  watch_programs dockerd docker docker-compose
  watch_files "$STATE/docker0" "$STATE/masked" "$RUN/restarting" "$R$DAEMON_JSON" "$R/etc/default/docker" "$R/usr/libexec/docker/cli-plugins" \
    "$R$DOCKER_NETWORKS" "$R/var/lib/docker/containers"
  watch_units docker
}

# What drops it is networkd, with each restart and reconfiguration.
docker_keep() {
  if [ -e "$ETC/dockerd.env" ] && [ -n "$LAYOUT" ]; then
    guard_pool
  fi
}

# By what dockerd is to have, as doctor does, and not by what it got once.
docker_status() {
  options=$(our_options)
  status_text dockerOptions "$options"
  active=$(systemctl is-active docker.service 2>/dev/null) || :
  WANTED=$options
  if (read_settings && choose_options) >/dev/null 2>&1; then
    read_settings
    choose_options 2>/dev/null
  fi
  look_at_docker
  how="with the lease's options"
  force=true
  if ! docker_runs_with_options || [ ! -e "$ETC/dockerd.env" ]; then
    how=${missing:+"without the lease's options"}
    how=${how:-$(options_not_in_force)}
    force=false
  fi
  status_text docker "$active"
  status_value dockerOptionsInForce "$force"
  if has dockerd; then
    status_row dockerd "$force" "$active, $how"
  else
    status_row dockerd true 'not here yet'
  fi
}

# It first starts with the first lease, when it has its options. What needs no lease of what `up` puts in place is there
# already: the first boot then reads no unit anew, which takes long.
docker_bake() {
  install_docker
  unmask_docker
  # Also that of an earlier bake.
  rm -f "$STATE/masked"
  if has dockerd; then
    look_at_docker
    read_docker_unit
    write_docker_unit
  fi
}
