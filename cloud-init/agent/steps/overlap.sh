# Whether the mesh would cut the host off.

# Refuses what lies in the mesh's ranges, but for Docker networks inside the own lease.
check_overlap() {
  if ! has_lease || [ "$ALLOW_OVERLAP" = on ]; then
    return 0
  fi
  # A network that was joined by hand is the mesh itself.
  [ -n "$DEV" ] || [ ! -e "$ZT/networks.d/$L_NETWORK.conf" ] || look_at_network
  found=$({
    host_networks
    # Once it was in the mesh a resolver may well be a container there.
    [ -s "$STATE/pools" ] || host_lifelines
  } | pool_awk '!($2 ~ /^br-/ && inside($1, own)) && (overlap($1, zt) || overlap($1, pool)) { print; exit }')
  case ${found#* } in
  br-* | docker*) how='stop what is in it, then docker network rm' ;;
  *) how="ip route del ${found%% *} dev ${found#* }, and what sets it" ;;
  esac
  [ -z "$found" ] || refuse "${found%% *} ($(network_name "${found#* }")) overlaps the mesh ($MESH), which would cut it off: remove it ($how), choose other ranges at the Worker, or set ALLOW_OVERLAP=on in $CONF"
}

check_pool_size() {
  [ "$SLOTS" -le $MOST_SLOTS ] || refuse "the pool has $SLOTS subnets, and each server needs a route to every one: $MOST_SLOTS are the most. Give each server a larger one: a smaller NODE_PREFIX than $L_POOL_NODE_PREFIX at the Worker"
}

overlap_up() {
  check_pool_size
  check_overlap
}

overlap_state() {
  watch_files "$R/etc/resolv.conf" "$R/run/systemd/resolve/resolv.conf" "$R$DOCKER_NETWORKS"
  watch_commands 'ip -o addr show' 'ip -4 route show table all'
}
