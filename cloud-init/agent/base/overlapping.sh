# What of the host lies in the mesh's ranges.

OVERLAPPING=''
# Of that, what the mesh's routes would take away from the host; and which of it are networks of Docker's.
SPARED=''
SPARED_DOCKER=''

# For `keep`, which runs at a boot before the first `up`; and for that one, which may run before dockerd does.
remember_spared() {
  if [ -n "$SPARED" ] || [ -e "$STATE/spared" ]; then
    echo "$SPARED" | put_file /var/lib/meshboot/spared 600
  fi
  if [ -n "$SPARED_DOCKER" ] || [ -e "$STATE/spared-docker" ]; then
    echo "$SPARED_DOCKER" | put_file /var/lib/meshboot/spared-docker 600
  fi
}

# Networks and lifelines in the mesh's ranges, `prefix name [device|table]`: not what lies inside the own lease, whatever its
# device is called, since no route leads away from there.
#
# A shorter prefix than the mesh's takes nothing from the mesh, whose routes are more specific, and loses nothing to it while no
# address, gateway or resolver of the host lies there: but for a bridge, whose other end nobody sees from here, for dockerd,
# which takes no networks of its own that overlap, and for routing tables that are asked before the main one.
overlapping() {
  host_uses | pool_awk '
    function hits(range) { return overlap($1, range) && len($1) >= len(range) }
    $2 == ":resolver" && dev != "" { next } # it may well be a container in the mesh
    inside($1, own) && (dev != "" || $2 !~ /^:(gateway|resolver)$/) { next }
    {
      known = 0
      if ($2 ~ /^:(address|gateway)$/) for (i = 1; i <= n; i++) known = known || inside($1, found[i])
    }
    known { next }
    hits(zt) || hits(pool) { print "yes", $0; found[++n] = $1; next }
    overlap($1, zt) || overlap($1, pool) { print ($2 ~ /^docker:/ || NF == 3 && $2 !~ /^:(address|gateway)$/ ? "yes" : "bridge"), $0 }
  ' | while IFS=' ' read -r where prefix name more; do
    if [ "$where" = yes ] || [ "$(link_kind "$name")" = bridge ]; then
      printf '%s\n' "$prefix $name${more:+ $more}"
    fi
  done
}

look_at_overlapping() {
  OVERLAPPING=''
  # A network that was joined by hand is the mesh itself, and so is one whose interface has got another name.
  [ ! -e "$ZT/networks.d/$L_NETWORK.conf" ] || { [ -n "$DEV" ] && [ -e "$R/sys/class/net/$DEV" ]; } || look_at_network
  SPARED='' SPARED_DOCKER=''
  [ "$ALLOW_OVERLAP" != on ] || return 0
  OVERLAPPING=$(overlapping)
  # Where the host's is as specific as ours, it wins by itself.
  IFS='|' read -r SPARED SPARED_DOCKER <<EOF
$(printf '%s\n' "$OVERLAPPING" | pool_awk '
    $2 ~ /^docker:/ && len($1) < p { docker = docker $1 " " }
    $2 ~ /^:(address|gateway)$/ || NF == 2 && $2 !~ /:/ && len($1) < p { host = host $1 " " }
    END { print host "|" docker }')
EOF
  # As long as dockerd is still to come, its networks are those of before.
  if [ -s "$STATE/spared-docker" ] && [ ! -e "$TMP/docker-networks" ] && has docker; then
    read_line "$STATE/spared-docker"
    SPARED_DOCKER=$LINE
  fi
  SPARED=$SPARED$SPARED_DOCKER
}
