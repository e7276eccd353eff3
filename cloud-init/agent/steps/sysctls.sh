# sysctls.

# Interfaces that live on router advertisements: a default route or an address from there, or our own file says so. As long as
# the host does not forward also that of the IPv4 default route, on which a router may still speak up.
advertised_interfaces() {
  # With several routers the devices stand in lines of their own, below the one that says `proto ra`.
  {
    ip -6 route show default 2>/dev/null | awk '$1 == "default" { ra = / proto ra( |$)/ } ra'
    [ "$(read_file "$R/proc/sys/net/ipv6/conf/all/forwarding")" = 1 ] || ip -4 route show default
  } | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") print $(i + 1) }'
  ip -6 -o addr show scope global dynamic 2>/dev/null | awk '{ print $2 }'
  read_file "$R$SYSCTL" | sed -n 's|^net/ipv6/conf/\(.*\)/accept_ra=2$|\1|p'
}

# Whether a router has been heard, ever: doctor misses it then.
note_router() {
  if [ ! -e "$STATE/router" ] && ip -6 route show default 2>/dev/null | grep -q ' proto ra'; then
    run touch "$STATE/router"
  fi
}

# accept_ra=2 first: with 1, forwarding makes the kernel drop the default route that it has from router advertisements.
# With 0 something else (networkd) handles them. A device that is away at this moment needs its line when it comes back.
sysctl_lines() {
  if [ "$IPV6" = on ]; then
    advertised_interfaces | sort -u | while read -r dev; do
      case $(read_file "$R/proc/sys/net/ipv6/conf/$dev/accept_ra") in
      1 | 2) printf 'net/ipv6/conf/%s/accept_ra=2\n' "$dev" ;;
      '') grep -sxF "net/ipv6/conf/$dev/accept_ra=2" "$R$SYSCTL" || : ;;
      esac
    done
  fi
  echo net/ipv4/ip_forward=1
  if [ "$IPV6" = on ]; then
    printf 'net/ipv6/conf/%s=1\n' default/forwarding all/forwarding default/proxy_ndp all/proxy_ndp
  fi
}

# The values of before us are kept first: after a reboot, with our file there, they would not be seen any more.
sysctls_up() {
  note_router
  read_line "$R/proc/sys/net/ipv6/conf/all/forwarding"
  forwards=$LINE
  lines=$(sysctl_lines)
  changes=$(printf '%s\n' "$lines" | while IFS='=' read -r key value; do
    read_line "$R/proc/sys/$key"
    have=$LINE
    if [ -n "$have" ] && [ "$have" != "$value" ]; then
      printf '%s\n' "$key=$value=$have"
    fi
  done)
  if ! dry; then
    printf '%s\n' "$changes" | while IFS='=' read -r key value have; do
      if [ -n "$key" ] && ! grep -qsF "$key=" "$STATE/sysctls"; then
        add_line "$STATE/sysctls" "$key=$have"
      fi
    done
  fi
  printf '%s\n' "$changes" | while IFS='=' read -r key value have; do
    if [ -n "$key" ]; then
      change "$key: $have, now $value"
      dry || set_sysctl "$key" "$value"
      # Forwarding has lost it what the router said.
      case $forwards$key in
      1*/accept_ra)
        device=${key%/accept_ra}
        dry || solicit_router "${device##*/}"
        ;;
      esac
    fi
  done
  # Last: the next boot is to set nothing that could not be set now.
  printf '%s\n' "$lines" | put_file $SYSCTL 644
}

# All but accept_ra. A dockerd that was not stopped does not switch forwarding on again: it always needs that of IPv4, and
# that of IPv6 for networks that have it. With nft tables of its own it never does, and does not start without.
sysctls_down() {
  skip=accept_ra why=''
  if ! is_to_purge docker && has_nft_backend && ! docker_is_told ip-forward false; then
    skip='forward|accept_ra'
    why='dockerd does not start with nftables unless forwarding is on: it stays on until the next boot. From then on it is yours to switch on, in a file of your own in /etc/sysctl.d: net.ipv4.ip_forward=1, and for networks with IPv6 net.ipv6.conf.all.forwarding=1'
  elif is_running docker; then
    skip='ip_forward|accept_ra'
    if has_ipv6_networks; then
      skip='forward|accept_ra'
    fi
    why='dockerd runs on, and its containers need forwarding: it stays on until the next boot'
  fi
  if [ -n "$why" ] && read_file "$STATE/sysctls" | grep -qE "${skip%|*}"; then
    say "$why"
  fi
  read_file "$STATE/sysctls" | grep -vE "$skip" | while IFS='=' read -r key value; do
    say "$key: $value again"
    dry || set_sysctl "$key" "$value"
  done
}

doctor_sysctls() {
  wrong=$(sysctl_lines | grep -v accept_ra | while IFS='=' read -r key value; do
    have=$(read_file "$R/proc/sys/$key")
    [ "${have:-$value}" = "$value" ] || printf '%s=%s ' "$key" "$have"
  done)
  [ -z "$wrong" ] || fault "$wrong" 1 'meshboot up; grep -rE "forward|proxy_ndp" /etc/sysctl*'
}

# With no file of ours yet there is nothing to go by.
sysctls_state() {
  [ -e "$R$SYSCTL" ] || return 1
  while IFS='=' read -r key _; do
    read_line "$R/proc/sys/$key"
    echo "$LINE"
  done <"$R$SYSCTL"
  watch_commands 'ip -6 route show default'
}

sysctls_doctor() {
  look sysctls lease
}
