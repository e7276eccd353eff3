# Routes.

# `ip route show` of the interface on stdin: the batch that leads from there to one route a slot, but for SPARED ones; with
# UNDO to none.
routes_batch() {
  pool_awk '
    function is_spared(target, i) {
      for (i = 1; i <= spares; i++) if (overlap(target, taken[i])) return 1
    }
    {
      via = m = ""
      for (i = 2; i < NF; i++) if ($i == "via") via = $(i + 1); else if ($i == "metric") m = $(i + 1)
    }
    m == metric { have[$1] = via }
    END {
      spares = split(spared, taken, " ")
      tail = " dev " dev " proto static metric " metric
      for (i = 1; i <= top && !undo; i++) if (i != n) {
        target = txt(first(pool) + i * s) "/" p
        if (is_spared(target)) continue
        via = txt(first(zt) + i)
        want[target]
        if (have[target] != via) print "route replace " target " via " via tail
      }
      for (target in have) if (!(target in want)) print "route del " target tail
    }' -v spared="$SPARED"
}

our_routes() {
  ip -4 route show dev "$DEV" proto static 2>/dev/null || :
}

routes_up() {
  our_routes | routes_batch >"$TMP/routes"
  if [ -s "$TMP/routes" ]; then
    change "changes $(wc -l <"$TMP/routes") routes on $DEV"
    dry || ip -4 -batch - <"$TMP/routes" >"$TMP/ip" 2>&1 || fail "ip does not take the routes: $(head -n 1 "$TMP/ip")"
  fi
}

# Without the address the kernel takes none of them; with it they are looked at again. Spared is what the last `up` found, be
# it before this boot.
routes_keep() {
  ZT_DEV=$DEV
  if has_address; then
    SPARED=$(read_file "$STATE/spared")
    routes_up
  fi
}

routes_down() {
  UNDO=yes
  if [ -n "$DEV" ]; then
    our_routes | routes_batch >"$TMP/routes"
    if [ -s "$TMP/routes" ]; then
      say "removes $(wc -l <"$TMP/routes") routes on $DEV"
      dry || ip -4 -force -batch - <"$TMP/routes" >/dev/null 2>&1 || :
    fi
  fi
  UNDO=''
}

# Routes that take the mesh's packets elsewhere, `target device`: more specific than ours, or of a better metric.
foreign_routes() {
  ip -4 route show | pool_awk '
    {
      to = $1; d = via = ""; m = 0
      if (to ~ /^[a-z]/) { d = to; to = $2 }
      for (i = 2; i < NF; i++) if ($i == "dev") d = $(i + 1); else if ($i == "metric") m = $(i + 1); else if ($i == "via") via = $(i + 1)
      l = len(to)
    }
    to !~ /^[0-9]/ { next }
    d != dev && overlap(to, zt) && (l > len(zt) || l == len(zt) && !m) { print to, d }
    overlap(to, pool) && (l > p || l == p && m < metric) && !inside(to, own) {
      if (d != dev || via != txt(first(zt) + int((first(to) - first(pool)) / s))) print to, d, via
    }'
}

foreign_remedy() { # the lines of foreign_routes: that of the first
  printf '%s\n' "$1" | awk 'NR == 1 { print "ip route del", ($2 ~ /^(blackhole|unreachable|prohibit|throw)$/ ? $2 " " $1 : $2 == "" ? $1 : $1 " dev " $2) }'
}

doctor_routes() {
  our_routes | routes_batch >"$TMP/routes"
  [ ! -s "$TMP/routes" ] ||
    fault "$(wc -l <"$TMP/routes") missing or wrong: $(sed -n '1s/^route [a-z]* \([^ ]*\).*/\1/p' "$TMP/routes")" "$((SLOTS - 1)) on $DEV" 'meshboot up'
  foreign=$(foreign_routes | head -n 3)
  [ -z "$foreign" ] ||
    fault "not ours, and before ours: $(printf '%s\n' "$foreign" | awk '{ printf "%s%s", (NR > 1 ? "; " : ""), $0 }')" "$MESH on $DEV" "$(foreign_remedy "$foreign"); then stop what sets it: another VPN, a Docker network"
  [ -z "$FOUND" ] || return 0
  probe=$(pool_awk 'BEGIN { print txt(first(pool) + (n == 1 ? 2 : 1) * s + 1) }' </dev/null)
  case $(ip -4 route get "$probe" 2>&1) in
  *" dev $DEV "*) ;;
  *) fault "a policy rule sends $probe elsewhere" "$DEV" "ip route get $probe; ip rule; keep $MESH out of that VPN" ;;
  esac
}

routes_state() {
  watch_commands 'ip -4 route show table all'
}

routes_status() {
  have=$(our_routes | grep -c "metric $ROUTE_METRIC") || :
  status_value routes "$have"
  status_value routesExpected $((SLOTS - 1))
  status_row routes "$(true_or_false [ "$have" = $((SLOTS - 1)) ])" "$have of $((SLOTS - 1))"
}

routes_doctor() {
  look routes address
}
