# The ZeroTier network.

# ZT_STATUS (empty: not joined) and ZT_DEV. Counted from the end: a network's name may hold blanks.
look_at_network() {
  ZT_STATUS=''
  ZT_DEV=''
  IFS=' ' read -r ZT_STATUS ZT_DEV <<EOF || :
$(timeout 5 zerotier-cli listnetworks 2>/dev/null </dev/null | awk -v n="$L_NETWORK" '$3 == n { print $(NF - 3), $(NF - 1) }')
EOF
  # Without an interface the words are others: the MAC address where the status was.
  case $ZT_STATUS in *[!A-Z_]*) ZT_STATUS='' ZT_DEV='' ;; esac
  # 15 characters is what the kernel takes.
  case $ZT_DEV in *[!a-zA-Z0-9]* | ????????????????*) ZT_DEV='' ;; esac
}

# What the network may set on this host: addresses and routes of the mesh's ranges, nothing else.
limit_network() {
  put_file "$limits" 644 <<EOF
allowManaged=$MESH
allowGlobal=0
allowDefault=0
allowDNS=0
EOF
}

has_address() {
  [ -n "$ZT_DEV" ] && ip -o -4 addr show dev "$ZT_DEV" 2>/dev/null | grep -qF " $L_ZEROTIER_IPV4 "
}

join_network() {
  STEP='join'
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
  wait_for interface
  if [ -n "$ZT_DEV" ]; then
    DEV=$ZT_DEV
    echo "$DEV" | put_file /var/lib/meshboot/interface 600
  fi
}

wait_for() { # interface|address
  STEP='join'
  began=$(uptime_seconds)
  told=''
  while look_at_network; do
    case $1$ZT_STATUS in
    interface*) [ -z "$ZT_DEV" ] || break ;;
    *OK | *REQUESTING_CONFIGURATION) ! has_address || break ;;
    esac
    if dry; then
      return 0
    fi
    waited=$(($(uptime_seconds) - began))
    [ $waited -lt 90 ] || fail "no $L_ZEROTIER_IPV4 from network $L_NETWORK, status ${ZT_STATUS:-none}: is $NODE authorized, /dev/net/tun there, UDP 9993 open?"
    if [ $waited -ge 10 ] && [ -z "$told" ]; then
      told=yes
      say "still waits for $L_ZEROTIER_IPV4, status ${ZT_STATUS:-none}"
    fi
    sleep 0.2
  done
}

leave_network() {
  say "leaves network $L_NETWORK"
  if ! zerotier-cli leave "$L_NETWORK" >/dev/null 2>&1; then
    # Without the daemon, that it is a member is this file and nothing else.
    rm -f "$ZT/networks.d/$L_NETWORK.conf"
  fi
}
