# The route that keeps dockerd's own pools off the mesh.

# Layout compose leaves dockerd its own pools, 172.28.0.0/16 among them. 20.10 takes none that any route covers, and the
# mesh's do; 26 and 28 look only at routes of scope link. One that leads nowhere keeps them off, and needs no restart.
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
