# accept_ra, put back: the last of all sysctls.

# Not while dockerd forwards IPv6, now or at its next start: the default route would go.
accept_ra_down() {
  keeps_accept_ra=''
  read_file "$STATE/sysctls" | grep accept_ra >"$TMP/accept_ra" || return 0
  if is_running docker && has_ipv6_networks; then
    say "Docker networks of your own have IPv6, for which dockerd forwards: $SYSCTL keeps accept_ra=2, or the host would lose its default route"
    keeps_accept_ra=yes
    if ! dry; then
      lines=$(sed 's/=.*/=2/' "$TMP/accept_ra")
      write_whole "$R$SYSCTL" 644 "$lines$NL"
    fi
  elif [ "$(read_file "$R/proc/sys/net/ipv6/conf/all/forwarding")" != 1 ] ||
    # Which a dry run has not switched off.
    { dry && grep -qx net/ipv6/conf/all/forwarding=0 "$STATE/sysctls"; }; then
    while IFS='=' read -r key value; do
      # Away, and with it what it had.
      [ -e "$R/proc/sys/$key" ] || continue
      say "$key: $value again"
      dry || set_sysctl "$key" "$value"
    done <"$TMP/accept_ra"
  fi
}

# Under a name that is not ours: the host needs it as long as dockerd forwards.
accept_ra_purge() {
  if [ -e "$R$SYSCTL" ] && { ! is_listed $SYSCTL || [ -n "$keeps_accept_ra" ]; }; then
    say "$SYSCTL, which keeps accept_ra=2, is called /etc/sysctl.d/90-accept-ra.conf from now on"
    run mv -f "$R$SYSCTL" "$R/etc/sysctl.d/90-accept-ra.conf"
  fi
}

doctor_uplink() {
  [ "$IPV6" = on ] || finding note 'IPv6 is off on this host: the containers have IPv4 alone'
  six=$(ip -6 route show default 2>/dev/null) || six=''
  [ -n "$six$(ip -4 route show default)" ] || fault 'no default route' '' "the provider's settings: systemctl restart networking; netplan apply"
  for device in $(read_file "$R$SYSCTL" | sed -n 's|^net/ipv6/conf/\(.*\)/accept_ra=2$|\1|p'); do
    have=$(read_file "$R/proc/sys/net/ipv6/conf/$device/accept_ra")
    [ -n "$have" ] || continue
    # With 0 a daemon listens for the kernel.
    if [ "$have" = 1 ]; then
      fault "accept_ra of $device is 1: with forwarding on, its IPv6 default route goes" 2 "meshboot up; or sysctl -w net/ipv6/conf/$device/accept_ra=2; ip token set 1:: dev $device"
    elif ! printf '%s\n' "$six" | awk -v device="$device" '{ for (i = 1; i < NF; i++) if ($i == "dev" && $(i + 1) == device) found = 1 } END { exit !found }' && [ -e "$STATE/router" ]; then
      warning "$device has no IPv6 default route" 'one by router advertisement' "ip token set 1:: dev $device makes the kernel ask; the next advertisement brings it too"
    fi
  done
}

accept_ra_doctor() {
  look uplink
}
