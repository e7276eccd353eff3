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
# With 0 something else (networkd) minds them.
sysctl_lines() {
  if [ "$IPV6" = on ]; then
    advertised_interfaces | sort -u | while read -r dev; do
      case $(read_file "$R/proc/sys/net/ipv6/conf/$dev/accept_ra") in
      1 | 2) echo "net/ipv6/conf/$dev/accept_ra=2" ;;
      esac
    done
  fi
  echo net/ipv4/ip_forward=1
  if [ "$IPV6" = on ]; then
    printf 'net/ipv6/conf/%s=1\n' default/forwarding all/forwarding default/proxy_ndp all/proxy_ndp
  fi
}

# Without accept_ra=2 the host would lose its default route to the forwarding that comes next.
set_sysctl() { # KEY VALUE
  (echo "$2" >"$R/proc/sys/$1") 2>/dev/null ||
    case $1=$2 in
    */accept_ra=2) fail "$1 cannot be set to 2, and without it IPv6 forwarding would cost the host its default route: is /proc/sys read-only?" ;;
    *) warn "$1 cannot be set" ;;
    esac
}

# The values of before us are kept first: after a reboot, with our file there, they would not be seen any more.
apply_sysctls() {
  STEP=sysctls
  note_router
  lines=$(sysctl_lines)
  changes=$(echo "$lines" | while IFS='=' read -r key value; do
    read_line "$R/proc/sys/$key"
    have=$LINE
    if [ -n "$have" ] && [ "$have" != "$value" ]; then
      echo "$key=$value=$have"
    fi
  done)
  if ! dry; then
    echo "$changes" | while IFS='=' read -r key value have; do
      if [ -n "$key" ] && ! grep -qsF "$key=" "$STATE/sysctls"; then
        echo "$key=$have" >>"$STATE/sysctls"
      fi
    done
  fi
  echo "$changes" | while IFS='=' read -r key value have; do
    if [ -n "$key" ]; then
      change "$key: $have, now $value"
      dry || set_sysctl "$key" "$value"
    fi
  done
  # Last: the next boot is to set nothing that could not be set now.
  echo "$lines" | put_file $SYSCTL 644
}

has_ipv6_networks() {
  ids=$(timeout 20 docker network ls -q 2>/dev/null </dev/null) || ids=''
  # shellcheck disable=SC2086 # ids, one word each
  [ -n "$ids" ] && timeout 20 docker network inspect -f '{{.EnableIPv6}}' $ids 2>/dev/null </dev/null | grep -q true
}

# All but accept_ra. A dockerd that was not stopped does not switch forwarding on again: it always needs that of IPv4, and
# that of IPv6 for networks that have it.
restore_sysctls() {
  skip=accept_ra
  if is_running docker; then
    skip='ip_forward|accept_ra'
    if has_ipv6_networks; then
      skip='forward|accept_ra'
    fi
    if read_file "$STATE/sysctls" | grep -qE "${skip%|*}"; then
      say 'dockerd runs on, and its containers need forwarding: it stays on until the next boot'
    fi
  fi
  read_file "$STATE/sysctls" | grep -vE "$skip" | while IFS='=' read -r key value; do
    set_sysctl "$key" "$value"
  done
}

# Last of all, and not while dockerd forwards IPv6, now or at its next start: the default route would go.
restore_accept_ra() {
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
