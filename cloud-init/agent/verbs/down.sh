# The verb down.

give_lease_back() {
  read_settings
  call DELETE "/v1/nodes/$NODE" "$STATE/token" /dev/null
  case $HTTP in
  2*) say 'gives the lease back' ;;
  *) fail "$(the_problem). Without --release all is undone and the lease kept" ;;
  esac
}

# Each part bears that its step was never reached, or that it was undone already: `down` may follow half an `up`, or half
# a `down`.
down() { # [release]
  set_up
  systemctl disable --now meshboot.timer meshboot.service 2>/dev/null || :
  lock
  STEP=down
  if has_lease; then
    if use_lease "$STATE/lease"; then
      if [ -n "$1" ]; then
        give_lease_back
      fi
      release_local_conf
      drop_routes
      drop_guard
    else
      warn "/var/lib/meshboot/lease is not sound: $REASON. The network is not left; zerotier-cli leave does that"
      NODE=''
    fi
  fi
  if [ -n "$NODE" ] && is_running docker; then
    name_kept_networks
  fi
  stop_ipv6nat
  stop_docker
  # With dockerd stopped: it sets some of them itself, also for a network that it remembers.
  restore_sysctls
  close_firewalls
  unload_rules
  sweep_firewall
  STEP=down
  if [ -s "$RUN/restarting" ]; then
    start_docker || warn 'dockerd does not start: see journalctl -u docker'
    finish_restart
  fi
  if [ -n "$NODE" ] && [ ! -e "$STATE/joined" ]; then
    leave_network
  fi
  # It was held back, by its installation or in an image, and never started. The mark goes last of all.
  unmask_docker
  if [ -e "$STATE/masked" ] && has dockerd; then
    rm -f "$R$UNITS/docker.service.d/50-meshboot-image.conf" "$R$UNITS/docker.socket.d/50-meshboot-image.conf"
    systemctl -q enable --now docker.service docker.socket || :
  fi
  drop_files .
  restore_accept_ra
  systemctl daemon-reload
  release_network_services
  if [ -e "$STATE/joined" ]; then
    say "stays in network ${L_NETWORK:-}, which was joined before: restarts zerotier-one, which reads its settings only then"
    systemctl restart zerotier-one.service || warn 'zerotier-one does not start: see journalctl -u zerotier-one'
  fi
  rm -rf "$STATE" "$RUN"
  LOG=/dev/null
  say 'undone, but for packages. To come back: a key in /etc/meshboot/key, then systemctl enable --now meshboot.service meshboot.timer'
}
