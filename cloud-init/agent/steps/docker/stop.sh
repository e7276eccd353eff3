# dockerd without our options again.

# Whether a `down` that was killed had begun to restart dockerd: it is stopped, or runs with the address of before us alone.
is_stop_begun() {
  [ -s "$RUN/restarting" ] || return 1
  look_at_docker
  is_restart_noted || [ "$(our_options)" = "--bip=$(docker0_before)" ]
}

# Whether dockerd is to lose our options: it runs with them, or that has begun.
is_docker_to_lose_options() {
  is_stop_begun || { [ -n "$(our_options)" ] && { docker_has_options || docker_runs_in_lease; }; }
}

docker_consent() {
  if is_to_purge docker; then
    if is_running docker; then
      refuse_containers 'stop for good with the package of Docker. Nothing was undone. docker stop them first, or leave docker out of --purge='
    fi
    # shellcheck disable=SC2086 # package names, one word each
    check_removal $DOCKER_PACKAGES
  elif ! is_stop_begun && is_docker_to_lose_options; then
    RESTART_DOCKER=$(saved_setting RESTART_DOCKER)
    [ "$RESTART_DOCKER" = on ] || RESTART_DOCKER=off
    undone=' Nothing was undone.' more='. What else is undone: meshboot down --dry-run'
    if dry; then
      undone='' more=''
    fi
    ask_for_restart "which loses the mesh's options.$undone When it suits: meshboot down --restart-docker, or RESTART_DOCKER=on in $CONF$more"
  fi
}

# dockerd makes docker0 anew at each start, as its own store has it, unless it is told an address: so one start with the
# address of before us, which it then remembers. $RUN/restarting stays until `down` has started dockerd again.
stop_docker() {
  is_stop_begun || drop_note
  before=$(docker0_before)
  [ -z "$before" ] || echo "MESHBOOT_OPTIONS=\"--bip=$before\"" | put_file /etc/meshboot/dockerd.env 644
  begin_restart
  [ -z "$before" ] || restart_docker || :
  DOCKER_STOPPED=yes
  systemctl stop docker.socket docker.service || :
}

docker_down() {
  if [ -n "$NODE" ] && is_running docker; then
    name_kept_networks
  fi
  drop_guard
  if is_docker_to_lose_options; then
    say "restarts dockerd without the mesh's options, in two steps"
    if dry; then
      SAID_TO_STOP=docker
    else
      stop_docker
    fi
  fi
  if [ -n "$(our_options)" ] && ! is_running docker && [ -z "$(ls "$R/sys/class/net/docker0/brif" 2>/dev/null)" ]; then
    run ip link del docker0 2>/dev/null || :
  fi
  drop_files docker
  run systemctl daemon-reload
}

# Docker gives a network its subnet for life, and another server may have the lease next.
name_kept_networks() {
  kept=$( (limit_calls && docker_subnets) | pool_awk '$1 ~ /^[0-9.]+\/[0-9]+$/ && $2 != "bridge" && inside($1, own) { printf "%s ", $2 }')
  [ -z "$kept" ] || say "Docker networks keep their subnets in $SUBNET4: ${kept}(another range: docker network rm, and make them again)"
}

# What comes after dockerd's stop is over, and dockerd starts again.
docker_restart_down() {
  SAID_TO_STOP=''
  if [ -s "$RUN/restarting" ]; then
    run start_docker start || warn 'dockerd does not start: see journalctl -u docker'
    finish_restart
  fi
  # It was held back, by its installation or in an image, and never started. The mark goes last of all.
  unmask_docker
  if [ -e "$STATE/masked" ] && has dockerd; then
    run rm -f "$R$UNITS/docker.service.d/50-meshboot-image.conf" "$R$UNITS/docker.socket.d/50-meshboot-image.conf"
    run systemctl -q enable --now docker.service docker.socket || :
  fi
}

docker_purge() {
  # shellcheck disable=SC2086 # as above
  ! is_to_purge docker || remove_packages $DOCKER_PACKAGES
}
