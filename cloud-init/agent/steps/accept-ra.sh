# accept_ra, put back: the last of all sysctls.

# Not while dockerd forwards IPv6, now or at its next start: the default route would go.
accept_ra_down() {
  read_file "$STATE/sysctls" | grep accept_ra >"$TMP/accept_ra" || return 0
  if is_running docker && has_ipv6_networks; then
    say "Docker networks of your own have IPv6, for which dockerd forwards: $SYSCTL keeps accept_ra=2, or the host would lose its default route"
    sed 's/=.*/=2/' "$TMP/accept_ra" >"$R$SYSCTL.meshboot-tmp"
    mv -f "$R$SYSCTL.meshboot-tmp" "$R$SYSCTL"
  elif [ "$(read_file "$R/proc/sys/net/ipv6/conf/all/forwarding")" != 1 ]; then
    while IFS='=' read -r key value; do
      set_sysctl "$key" "$value"
    done <"$TMP/accept_ra"
  fi
}

doctor_uplink() {
  [ "$IPV6" = on ] || finding note 'IPv6 is off on this host: the containers have IPv4 alone'
  six=$(ip -6 route show default 2>/dev/null) || six=''
  [ -n "$six$(ip -4 route show default)" ] || fault 'no default route' '' "the provider's settings: systemctl restart networking; netplan apply"
  for device in $(read_file "$R$SYSCTL" | sed -n 's|^net/ipv6/conf/\(.*\)/accept_ra=2$|\1|p'); do
    have=$(read_file "$R/proc/sys/net/ipv6/conf/$device/accept_ra")
    if [ "${have:-2}" != 2 ]; then
      fault "accept_ra of $device is $have: with forwarding on, its IPv6 default route goes" 2 "sysctl -w net.ipv6.conf.$device.accept_ra=2"
    elif [ "${six#*" dev $device "}" = "$six" ] && [ -e "$STATE/router" ]; then
      warning "$device has no IPv6 default route" 'one by router advertisement' 'rdisc6; the next advertisement brings it'
    fi
  done
}

accept_ra_doctor() {
  look uplink
}
