# Whether the mesh would cut the host off.

overlap_text() { # PREFIX NAME [DEVICE|TABLE]
  printf '%s\n' "$1 ($(network_name "$2" "${3:-}")) overlaps the mesh ($MESH)"
}

overlap_remedy() { # PREFIX NAME [DEVICE|TABLE]
  printf '%s\n' "$(network_remedy "$@"); or allow it: ALLOW_OVERLAP=on in $CONF, and to the Worker a key made with allowOverlap. Other ranges (ZEROTIER_RANGE, DOCKER_POOL) it takes only while it has no lease"
}

# Before it is in the mesh a host that overlaps stays out. One that is in stays in: its own networks are spared, and the rest
# of the mesh goes on.
check_overlap() {
  look_at_overlapping
  IFS=' ' read -r prefix name more <<EOF
$OVERLAPPING
EOF
  [ -n "$prefix" ] || return 0
  remedy=$(overlap_remedy "$prefix" "$name" "$more")
  if [ -z "$DEV" ]; then
    refuse "$(overlap_text "$prefix" "$name" "$more"), which would cut it off: $remedy"
  fi
  end_with 3 "$(overlap_text "$prefix" "$name" "$more"), where other servers may not be reached: $remedy"
}

check_pool_size() {
  [ "$SLOTS" -le $MOST_SLOTS ] || refuse "the pool has $SLOTS subnets, and each server needs a route to every one: $MOST_SLOTS are the most. Give each server a larger one: a smaller NODE_PREFIX than $L_POOL_NODE_PREFIX at the Worker"
}

overlap_up() {
  check_pool_size
  check_overlap
  remember_spared
}

overlap_state() {
  watch_files "$R/etc/resolv.conf" "$R/run/systemd/resolve/resolv.conf" "$R$DOCKER_NETWORKS"
  watch_commands 'ip -o addr show' 'ip -4 route show table all'
}

doctor_overlap() {
  look_at_overlapping
  [ -n "$OVERLAPPING" ] || return 0
  while IFS=' ' read -r prefix name more; do
    fault "$(overlap_text "$prefix" "$name" "$more")" '' "$(overlap_remedy "$prefix" "$name" "$more")"
  done <<EOF
$OVERLAPPING
EOF
}

overlap_doctor() {
  look overlap settings lease
}
