# The ZeroTier network as zerotier-one has it.

# Seconds, which no change of the clock touches: a first boot has no NTP yet.
uptime_seconds() {
  read_line "$R/proc/uptime"
  echo "${LINE%%.*}"
}

# What meshboot-watch.service watches by: it is started anew for another program, interface or range.
watch_mark() {
  echo "$(program_mark) $DEV $MESH"
}

# ZT_STATUS (empty: not joined) and ZT_DEV. Counted from the end: a network's name may hold blanks.
look_at_network() {
  ZT_STATUS=''
  ZT_DEV=''
  odd_device=''
  IFS=' ' read -r ZT_STATUS ZT_DEV <<EOF || :
$(timeout 5 zerotier-cli listnetworks 2>/dev/null </dev/null | awk -v n="$L_NETWORK" '$3 == n { print $(NF - 3), $(NF - 1) }')
EOF
  # Without an interface the words are others: the MAC address where the status was.
  case $ZT_STATUS in *[!A-Z_]*) ZT_STATUS='' ZT_DEV='' ;; esac
  # ZeroTier's devicemap gives any name that the kernel takes, 15 characters. Some would be patterns to nft and iptables.
  case $ZT_DEV in
  -* | *[!A-Za-z0-9_.-]* | ????????????????*)
    odd_device=$(printable "$ZT_DEV")
    ZT_DEV=''
    ;;
  esac
}

# The devices of all networks that this server has joined.
zerotier_devices() {
  timeout 5 zerotier-cli listnetworks 2>/dev/null </dev/null | awk '$3 ~ /^[0-9a-f]+$/ && length($3) == 16 { print $(NF - 1) }'
}

has_address() {
  [ -n "$ZT_DEV" ] && ip -o -4 addr show dev "$ZT_DEV" 2>/dev/null | grep -qF " $L_ZEROTIER_IPV4 "
}

# By what zerotier-one said when it was last looked at.
has_come() { # interface|address
  case $1${ZT_STATUS:-} in
  interface*) [ -n "$ZT_DEV" ] ;;
  *OK | *REQUESTING_CONFIGURATION) has_address ;;
  *) return 1 ;;
  esac
}

wait_for() { # interface|address
  began=$(uptime_seconds)
  told=''
  while look_at_network; do
    ! has_come "$1" || break
    if dry; then
      return 0
    fi
    [ -z "$odd_device" ] || refuse "the interface of network $L_NETWORK is called $odd_device, which is a pattern to nft or iptables: give it another name in /var/lib/zerotier-one/devicemap (letters, digits, dots, _ and -), systemctl restart zerotier-one"
    waited=$(($(uptime_seconds) - began))
    [ $waited -lt 90 ] || fail "no $L_ZEROTIER_IPV4 from network $L_NETWORK, status ${ZT_STATUS:-none}: is $NODE authorized, UDP 9993 open?"
    if [ $waited -ge 10 ] && [ -z "$told" ]; then
      told=yes
      say "still waits for $L_ZEROTIER_IPV4, status ${ZT_STATUS:-none}"
    fi
    sleep 0.2
  done
}
