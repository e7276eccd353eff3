# Whom this server speaks to after a start of zerotier-one: whoever had talked to it does not reach it any more, unless it has
# spoken to him. Seen on ZeroTier 1.14.1. A server that only answers would be cut off.

# Of greetings: more do not fit into a small server's memory.
MOST_AT_ONCE=64
# Of those that are remembered.
MOST_NEIGHBOURS=256
# Of greetings in vain. Who does not answer for a week was released or revoked, or speaks first when he is back.
MOST_HOURS=168

# Whom the kernel knows on the mesh's interface: an IPv4 address as it is, and for IPv6 the node's own, whichever of its
# containers it was. What is no address of the mesh, as fe80::, is left out.
neighbours() {
  ip neigh show dev "$DEV" 2>/dev/null | pool_awk '
    !/ lladdr / { next }
    $1 ~ /:/ { if (index(digits($1), network) == 1) print six(substr(digits($1), 1, 20)) "::1"; next }
    inside($1, zt) { print $1 }' -v network="$SIX" | sort -u
}

# $STATE/neighbours: `address hours`, whom this server was in touch with, and for how long it has greeted him in vain. By the lease
# and IPv6 as they are now.
remembered() {
  read_file "$STATE/neighbours" |
    pool_awk '$1 ~ /:/ ? six_is != "off" : inside($1, zt) && index(at, $1 "/") != 1 { print $1 }' -v six_is="$IPV6"
}

# The other nodes, by their address on the mesh: those that the Worker named, those that ZeroTier has a route to, and those
# that are remembered.
others() {
  {
    peer_addresses | cut -d ' ' -f 2
    ip -4 route show dev "$DEV" proto static 2>/dev/null | awk -v ours="metric $ROUTE_METRIC" '!index($0 " ", " " ours " ") {
      for (i = 2; i < NF; i++) if ($i == "via") print $(i + 1)
    }'
    remembered
  } | sort -u
}

# Those of stdin that have not answered since the interface was made. Of an IPv4 address the kernel knows no neighbour then. For
# an IPv6 address ZeroTier itself tells the kernel one, of a server that is off as well: there an answer to a greeting counts.
unanswered() {
  # Not grep -f: without a line there busybox finds none, and others all.
  awk 'of == "neighbours" && /:/ { next } of != "" { heard[$1]; next } !($1 in heard)' \
    of=neighbours "$TMP/neighbours" of=answered "$TMP/answered" of= -
}

# By IPv6 a refusal is an answer as well. By IPv4 curl says the same where nobody is, and the kernel has whoever answered.
is_answered() { # ADDRESS
  if has ping; then
    ping -n -q -c 1 -w 3 "$1"
    return
  fi
  case $1 in
  *:*) curl --noproxy '*' -gs -o /dev/null --connect-timeout 3 "http://[$1]:9/" || [ $? = 7 ] ;;
  *) curl --noproxy '*' -gs -o /dev/null --connect-timeout 3 "http://$1:9/" ;;
  esac
}

# A packet to each address of stdin.
speak() {
  spoken=0
  while read -r address; do
    { ! is_answered "$address" || echo "$address" >>"$TMP/answered"; } >/dev/null 2>&1 </dev/null &
    spoken=$((spoken + 1))
    [ $((spoken % MOST_AT_ONCE)) != 0 ] || wait
  done
  wait
}

# Those that the kernel knows are remembered, the newest first, but not who is still silent: by IPv6 he is known by our own
# greeting. Who has been silent for too long is forgotten, by the kernel as well, unless that is in touch with him: then he is
# remembered anew.
remember() { # HOURS-SINCE-THE-LAST-TIME
  : >"$TMP/forgotten"
  read_file "$STATE/neighbours" | awk -v most=$MOST_NEIGHBOURS -v hours="$1" -v enough=$MOST_HOURS -v folder="$TMP" '
    function keep(address, vain) { if (lines++ < most) print address, vain }
    of == "before" { vain[$1] = $2; order[++n] = $1; next }
    of == "silent" { silent[$1]; next }
    $1 in silent { next }
    $1 in vain { vain[$1] = 0; next }
    { keep($1, 0) }
    # It has spoken by itself.
    /:/ { print >>(folder "/answered") }
    END {
      for (i = 1; i <= n; i++) {
        if (order[i] in silent) vain[order[i]] += hours
        if (vain[order[i]] < enough) keep(order[i], vain[order[i]])
        else print order[i] >>(folder "/forgotten")
      }
    }' of=before - of=silent "$TMP/silent" of=neighbours "$TMP/neighbours" >"$TMP/remembered"
  put_file /var/lib/meshboot/neighbours 600 <"$TMP/remembered" >/dev/null 2>&1
  while read -r address; do
    case $address in *:*) ip -6 neigh flush to "$address/80" dev "$DEV" nud stale 2>/dev/null || : ;; esac
  done <"$TMP/forgotten"
}

# Where nothing can be written, all are spoken to nevertheless.
try_to_remember() { # HOURS-SINCE-THE-LAST-TIME
  remember "$1" &
  wait $! || :
}

# Each is spoken to until he answers, and once more then: by the time that he says where he is, the kernel may have given the
# packet up. One that is off is spoken to once a minute.
greet() {
  ZT_DEV=$DEV
  pause=1
  hour=$(($(uptime_seconds) / 3600))
  remembered >"$TMP/silent"
  : >"$TMP/answered"
  while :; do
    # A slow controller gives the address late, and nobody hears this server before.
    if has_address; then
      now=$(($(uptime_seconds) / 3600))
      neighbours >"$TMP/neighbours"
      try_to_remember $((now > hour))
      hour=$now
      cp "$TMP/silent" "$TMP/spoken-to"
      others >"$TMP/others"
      unanswered <"$TMP/others" >"$TMP/silent"
      # Not who was forgotten.
      sort "$TMP/silent" "$TMP/spoken-to" "$TMP/others" | uniq -d >"$TMP/greeted"
      [ -s "$TMP/greeted" ] || [ ! -s "$TMP/others" ] || break
      speak <"$TMP/greeted"
    elif [ $pause -gt 4 ]; then
      pause=4
    fi
    sleep $pause
    pause=$((pause < 30 ? pause * 2 : 60))
  done
}

keep_in_touch() {
  greet
  while sleep 60; do
    neighbours >"$TMP/neighbours"
    try_to_remember 0
  done
}
