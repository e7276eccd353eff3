# The options that dockerd gets.

docker_major() {
  version_of dockerd --version | sed -n 's/^Docker version \([0-9]*\)\..*/\1/p'
}

# Before 27, dockerd has to be asked for its IPv6 firewall and NAT, and both are "experimental".
nat_options() {
  major=$(docker_major)
  if [ "$IPV6" = off ]; then
    if [ "${major:-0}" -ge 27 ]; then
      echo --ip6tables=false
    fi
  elif [ "$IPV6NAT" = off ]; then
    if [ "${major:-0}" -ge 27 ]; then
      echo --ip6tables=false
    fi
  elif [ "${major:-0}" -lt 27 ]; then
    echo --experimental --ip6tables
  fi
  if [ "$USERLAND_PROXY" = off ]; then
    echo --userland-proxy=false
  fi
}

# Two /16 outside the mesh and the host's networks, for when the lease's upper half is full. Docker 28 takes pools in the order of
# their addresses, not as they are given: so only what comes after the lease. Chosen once: a change restarts dockerd.
outer_pools() {
  host_networks | pool_awk '
    $2 !~ /^br-/ { used[u++] = $1 }
    END {
      used[u++] = zt
      used[u++] = pool
      for (i = 17; i < 35 && k < 2; i++) {
        t = (i < 32 ? "172." i : i == 32 ? "192.168" : "198." (i - 15)) ".0.0/16"
        for (j = 0; j < u && !overlap(t, used[j]); j++);
        if (j == u && first(t) > first(pool)) { print t; k++ }
      }
    }'
}

docker_options() {
  echo "--bip=$BIP --fixed-cidr=$LOWER"
  if [ "$IPV6" = on ]; then
    echo "--ipv6 --fixed-cidr-v6=$NET6::/81"
  fi
  echo "--default-address-pool=base=$UPPER"
  if [ "$IPV6" = on ]; then
    echo "--default-address-pool=base=$NET6:8000::/81,size=96"
  fi
  read_file "$STATE/pools" | sed 's/.*/--default-address-pool=base=&,size=24/'
  nat_options
  backend_options
}

our_options() {
  read_file "$ETC/dockerd.env" | sed -n 's/^MESHBOOT_OPTIONS="\(.*\)"$/\1/p'
}
