# dockerd without our options again.

# dockerd makes docker0 anew at each start, as its own store has it, unless it is told an address: so one start with the
# address of before us, which it then remembers. $RUN/restarting stays until `down` has started dockerd again.
docker_down() {
  if [ -n "$NODE" ] && is_running docker; then
    name_kept_networks
  fi
  drop_guard
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

# Docker gives a network its subnet for life, and another server may have the lease next.
name_kept_networks() {
  kept=$( (limit_calls && docker_subnets) | pool_awk '$1 ~ /^[0-9.]+\/[0-9]+$/ && $2 != "bridge" && inside($1, own) { printf "%s ", $2 }')
  [ -z "$kept" ] || say "Docker networks keep their subnets in $SUBNET4: ${kept}(another range: docker network rm, and make them again)"
}

# What comes after dockerd's stop is over, and dockerd starts again.
docker_restart_down() {
  if [ -s "$RUN/restarting" ]; then
    start_docker || warn 'dockerd does not start: see journalctl -u docker'
    finish_restart
  fi
  # It was held back, by its installation or in an image, and never started. The mark goes last of all.
  unmask_docker
  if [ -e "$STATE/masked" ] && has dockerd; then
    rm -f "$R$UNITS/docker.service.d/50-meshboot-image.conf" "$R$UNITS/docker.socket.d/50-meshboot-image.conf"
    systemctl -q enable --now docker.service docker.socket || :
  fi
}
