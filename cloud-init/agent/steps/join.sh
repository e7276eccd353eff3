# The ZeroTier network.

# What the network may set on this host: addresses and routes of the mesh's ranges, nothing else.
limit_network() {
  put_file "$limits" 644 <<EOF
allowManaged=$MESH
allowGlobal=0
allowDefault=0
allowDNS=0
EOF
}

# A restart makes the mesh's interface anew, without our routes.
hook_zerotier() {
  put_file $UNITS/zerotier-one.service.d/50-meshboot.conf 644 <<'EOF'
[Service]
ExecStartPost=-+/bin/sh -c 'mkdir -p /run/meshboot; : >/run/meshboot/again; systemctl start --no-block meshboot.service'
EOF
  reload_unit zerotier-one
}

# An earlier agent left the folder to root.
give_networks_to_zerotier() {
  for path in "$ZT/networks.d" "$ZT/networks.d/$L_NETWORK.conf" "$ZT/networks.d/$L_NETWORK.local.conf"; do
    [ ! -e "$path" ] || dry || give_to_folder "$path"
  done
}

join_up() {
  hook_zerotier
  give_networks_to_zerotier
  limits=/var/lib/zerotier-one/networks.d/$L_NETWORK.local.conf
  joined="$ZT/networks.d/$L_NETWORK.conf"
  # Joined by hand, before us: `down` is not to leave it. What we join ourselves has its limits listed first.
  if [ -e "$joined" ] && ! is_listed "$limits" && [ ! -e "$STATE/joined" ]; then
    say "$L_NETWORK was joined before: down will not leave it"
    run touch "$STATE/joined"
  fi
  if [ ! -e "$joined" ]; then
    limit_network
    run zerotier-cli join "$L_NETWORK" >/dev/null
    # The join has written its defaults over it; what was read before stays in force.
    limit_network
  elif ! grep -qsxF "allowManaged=$MESH" "$R$limits"; then
    limit_network
    say 'restarts zerotier-one, which reads only then what a network may set'
    run systemctl restart zerotier-one.service
  fi
  # What zerotier-one did until now, a start at boot or this restart, needs no further `up`.
  [ ! -e "$RUN/again" ] || run rm -f "$RUN/again"
  dry || has_tun || refuse "$(tun_fault)"
  wait_for interface
  if [ -n "$ZT_DEV" ]; then
    DEV=$ZT_DEV
    echo "$DEV" | put_file /var/lib/meshboot/interface 600
    keep_network_services_off
  fi
}

join_down() {
  if [ -z "$NODE" ] || [ -e "$STATE/joined" ]; then
    return 0
  fi
  say "leaves network $L_NETWORK"
  if dry; then
    return 0
  fi
  if ! zerotier-cli leave "$L_NETWORK" >/dev/null 2>&1; then
    # Without the daemon, that it is a member is this file and nothing else.
    rm -f "$ZT/networks.d/$L_NETWORK.conf"
  fi
}

doctor_network() {
  look_at_network
  case $ZT_STATUS in
  OK)
    # Less than two bytes: nothing but the line feed of the join.
    [ "$(read_file "$ZT/networks.d/$L_NETWORK.conf" | wc -c)" -gt 1 ] ||
      fault "networks.d/$L_NETWORK.conf is empty: zerotier-one would forget the network at its next start" "the network's configuration, within two minutes of the join" 'ls -la /var/lib/zerotier-one/networks.d; meshboot up gives the folder to its user'
    return 0
    ;;
  '') set -- 'meshboot up' ;;
  ACCESS_DENIED) set -- "authorize $NODE at ZeroTier Central, or POST /v1/nodes/$NODE/approve at the Worker" ;;
  NOT_FOUND) set -- 'ZEROTIER_NETWORK at the Worker must be a network that exists' ;;
  PORT_ERROR) set -- 'modprobe tun; ls -l /dev/net/tun; systemctl restart zerotier-one' ;;
  REQUESTING_CONFIGURATION) set -- 'the controller does not answer: wait a minute; let UDP 9993 out' ;;
  *) set -- 'CLIENT_TOO_OLD: update zerotier-one. AUTHENTICATION_REQUIRED: SSO off' ;;
  esac
  if [ "$ZT_STATUS" = REQUESTING_CONFIGURATION ] && has_address; then
    warning "$ZT_STATUS" OK "$1"
  else
    fault "${ZT_STATUS:-not joined}" "OK in network $L_NETWORK" "$1"
  fi
}

doctor_limits() {
  file=networks.d/$L_NETWORK.local.conf
  grep -qsxF "allowManaged=$MESH" "$ZT/$file" ||
    warning "$file lets the network set other addresses and routes here" "allowManaged=$MESH" 'meshboot up'
  conf=$(local_conf_members) || conf=''
  listed=$(printf '%s\n' "$conf" | listed_names)
  look_at_prefixes
  off=''
  for word in $PREFIXES; do
    case $listed in *"\"$word\""*) ;; *) off="$off $word" ;; esac
  done
  for word in $(echo "$MESH" | tr , ' '); do
    case $conf in *"\"$word\":{\"blacklist\":true"*) ;; *) off="$off $word" ;; esac
  done
  [ -z "$off" ] || warning "local.conf does not keep ZeroTier off$off" '' 'meshboot up'
}

join_state() {
  watch_files "$STATE/interface" "$STATE/joined" "$RUN/again" "$ZT/networks.d"
  watch_commands 'zerotier-cli listnetworks'
}

join_status() {
  look_at_network
  status_text network "$L_NETWORK"
  status_text zerotier "${ZT_STATUS:-NOT_JOINED}"
  status_text interface "$DEV"
  status_row network "$(true_or_false [ "$ZT_STATUS" = OK ])" "$L_NETWORK: ${ZT_STATUS:-NOT_JOINED} on $DEV"
}

join_doctor() {
  look network lease zerotier
  look limits network
}

join_bake() {
  hook_zerotier
}
