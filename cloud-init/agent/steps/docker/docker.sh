# dockerd gets its options.

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
      check_rootless_docker
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
  run restart_docker || fail "dockerd does not start: $(journalctl -u docker.service -t dockerd -n 30 --no-pager -o cat 2>/dev/null | grep -iE 'fail|error|unable' | tail -n 1). Correct that, then meshboot up"
  if [ "$LAYOUT" = compose ]; then
    # dockerd leaves there what it had by the layout before.
    run ip -6 addr flush dev docker0 to "$SUBNET6"
    run ip -6 route flush dev docker0 root "$SUBNET6"
  fi
  finish_restart
}

# Its networks and containers by files of its own. Where those of networks are not, nothing can be told.
docker_state() {
  ! has dockerd || [ -e "$R$DOCKER_NETWORKS" ] || return 1
  watch_programs dockerd docker docker-compose
  watch_files "$STATE/docker0" "$STATE/masked" "$RUN/restarting" "$R$DAEMON_JSON" "$R/etc/default/docker" "$R/usr/libexec/docker/cli-plugins" \
    "$R$DOCKER_NETWORKS" "$R/var/lib/docker/containers"
  watch_units docker
}

docker_status() {
  options=$(our_options)
  active=$(systemctl is-active docker.service 2>/dev/null) || :
  force=$(true_or_false docker_has_options)
  status_text docker "$active"
  status_text dockerOptions "$options"
  status_value dockerOptionsInForce "$force"
  if has dockerd; then
    status_row dockerd "$force" "$active, $([ "$force" = true ] && echo with || echo without) the lease's options"
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
