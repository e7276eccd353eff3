# The node's address on the mesh's interface.

doctor_address() {
  if [ "$ZT_DEV" != "$DEV" ]; then
    fault "the interface is ${ZT_DEV:-gone}" "$DEV" 'meshboot up'
  elif ! has_address; then
    fault "$DEV lacks $L_ZEROTIER_IPV4" '' 'systemctl restart zerotier-one; has the member that address at ZeroTier Central?'
  elif [ "$IPV6" = off ]; then
    :
  elif [ "$(read_file "$R/proc/sys/net/ipv6/conf/$DEV/disable_ipv6")" = 1 ]; then
    fault "IPv6 is off on $DEV" '' "grep -r disable_ipv6 /etc/sysctl*; sysctl -w net/ipv6/conf/$DEV/disable_ipv6=0; systemctl restart zerotier-one"
  elif [ -z "$(ip -o -6 addr show dev "$DEV" to "$NET6::1")" ]; then
    fault "$DEV lacks $NET6::1/40" '' 'systemctl restart zerotier-one; is 6PLANE on at ZeroTier Central?'
  fi
}

# What `join` has just seen of the network holds mostly.
address_up() {
  has_come address || wait_for address
  tell_boot mesh
}

address_state() {
  watch_commands 'ip -o addr show'
}

address_doctor() {
  look address network
}
