# Routes.

# `ip route show` of the interface on stdin: the batch that leads from there to one route a slot; with UNDO to none.
routes_batch() {
  pool_awk '
    {
      via = m = ""
      for (i = 2; i < NF; i++) if ($i == "via") via = $(i + 1); else if ($i == "metric") m = $(i + 1)
    }
    m == metric { have[$1] = via }
    END {
      tail = " dev " dev " proto static metric " metric
      for (i = 1; i <= top && !undo; i++) if (i != n) {
        target = txt(first(pool) + i * s) "/" p
        via = txt(first(zt) + i)
        want[target]
        if (have[target] != via) print "route replace " target " via " via tail
      }
      for (target in have) if (!(target in want)) print "route del " target tail
    }'
}

our_routes() {
  ip -4 route show dev "$DEV" proto static 2>/dev/null || :
}

apply_routes() {
  STEP=routes
  our_routes | routes_batch >"$TMP/routes"
  if [ -s "$TMP/routes" ]; then
    change "changes $(wc -l <"$TMP/routes") routes on $DEV"
    dry || ip -4 -batch - <"$TMP/routes" >"$TMP/ip" 2>&1 || fail "ip does not take the routes: $(head -n 1 "$TMP/ip")"
  fi
}

drop_routes() {
  UNDO=yes
  if [ -n "$DEV" ]; then
    our_routes | routes_batch | ip -4 -force -batch - >/dev/null 2>&1 || :
  fi
  UNDO=''
}
