# The options that dockerd gets, by layout.

# Docker's major version into `major`; empty when there is none.
look_at_docker_major() {
  look_at_version dockerd --version
  major=${LINE#Docker version }
  major=${major%%.*}
  case $major in *[!0-9]*) major='' ;; esac
}

# Before 27, dockerd has to be asked for its IPv6 firewall and NAT, and both are "experimental".
nat_options() {
  look_at_docker_major
  # Without Docker's IPv4 rules dockerd does not start with those for IPv6.
  case $IPV6$IPV6NAT$json in
  *'json iptables false'*) [ "${major:-0}" -lt 27 ] || echo --ip6tables=false ;;
  onauto* | ondocker*) [ "${major:-99}" -ge 27 ] || echo --experimental --ip6tables ;;
  *) [ "${major:-0}" -lt 27 ] || echo --ip6tables=false ;;
  esac
  if [ "$USERLAND_PROXY" = off ]; then
    echo --userland-proxy=false
  fi
}

# Two /16 outside the mesh and what the host needs, for when the lease's upper half is full. Docker 28 takes pools in the order of
# their addresses, not as they are given: so only what comes after the lease. Chosen once: a change restarts dockerd.
outer_pools() {
  {
    host_networks
    host_lifelines
  } | pool_awk '
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

# The part of the lease that docker0 has, in both families.
docker0_part() {
  case $LAYOUT in
  split) echo "$LOWER $NET6::/81" ;;
  bridge) echo "$SUBNET4 $SUBNET6" ;;
  esac
}

# Where docker0 was before us; empty when it was never moved.
docker0_before() {
  read_file "$STATE/docker0" | grep / || :
}

docker_options() {
  IFS=' ' read -r part4 part6 <<EOF
$(docker0_part)
EOF
  if [ "$LAYOUT" = compose ]; then
    # Told no address, dockerd would leave it where an earlier layout had it.
    docker0_before | sed 's/^/--bip=/'
  else
    echo "--bip=$GATEWAY4/${part4#*/} --fixed-cidr=$part4"
    if [ "$IPV6" = on ]; then
      echo "--ipv6 --fixed-cidr-v6=$part6"
    fi
    if [ "$LAYOUT" = split ]; then
      # IPv6 first: from one network to the next, dockerd before 28 goes on in the list where it took the last subnet.
      if [ "$IPV6" = on ]; then
        echo "--default-address-pool=base=$NET6:8000::/81,size=96"
      fi
      echo "--default-address-pool=base=$UPPER,size=$PIECE"
    fi
    read_file "$STATE/pools" | sed 's/.*/--default-address-pool=base=&,size=24/'
  fi
  nat_options
  backend_options
}

our_options() {
  read_file "$ETC/dockerd.env" | sed -n 's/^MESHBOOT_OPTIONS="\(.*\)"$/\1/p'
}

# A network that lies where the layout puts docker0: dockerd would not start.
check_layout() {
  part=$(docker0_part)
  [ -n "$part" ] || return 0
  found=$(host_networks | awk -v part="${part% *}" "$AWK_IP"'$2 ~ /^br-/ && overlap($1, part) { print; exit }')
  [ -z "$found" ] ||
    refuse "${found%% *} ($(network_name "${found#* }")) lies in ${part% *}, which LAYOUT=$LAYOUT gives to docker0: remove it (docker compose down, or stop what is in it; then docker network rm), or keep another LAYOUT in $CONF"
}

# Layout compose leaves dockerd its own pools, 172.28.0.0/16 among them. 20.10 takes none that any route covers, and the
# mesh's do; 26 and 28 mind only routes of scope link. One that leads nowhere keeps them off, and needs no restart.
guard_pool() {
  guard="unreachable $L_POOL_DOCKER proto static scope link metric $GUARD_METRIC"
  look_at_docker_major
  if [ "$LAYOUT" = compose ] && [ "${major:-0}" -ge 24 ]; then
    if [ -z "$(guard_routes)" ]; then
      say "adds the route $guard"
      # shellcheck disable=SC2086 # the words of a route
      dry || ip -4 route replace $guard
    fi
  else
    drop_guard
  fi
}

# Told by its text, and deleted by its prefix: an `ip` that does not know the filter `type` (busybox's) shows every route, and
# flushes every route.
guard_routes() {
  ip -4 route show table all 2>/dev/null | awk -v metric="metric $GUARD_METRIC" '$1 == "unreachable" && index($0 " ", " " metric " ") { print $2 }'
}

drop_guard() {
  for prefix in $(guard_routes); do
    run ip -4 route del unreachable "$prefix" metric $GUARD_METRIC || :
  done
}
