# The verb watch, for meshboot-watch.service.

# Addresses, routes and rules as they change, a line each, to the pipe 7. `gone` says that one of the two has ended.
tell_changes() {
  {
    ip -o -4 monitor address route || :
    echo gone
  } >&7 &
  {
    nft monitor || :
    echo gone
  } >&7 &
}

# The kernel drops routes with the address that they need, networkd those that it does not know, a reload of a firewall
# whatever stood in its chains. A container that comes or goes is no such change, but for what dockerd does to rules; a bridge of the
# user's own is one, which the rules name.
is_ours_to_keep() { # CHANGE
  # shellcheck disable=SC2254 # a pattern
  case $1 in
  *' docker0'* | *" "$DOCKER_BRIDGE* | *' veth'*) return 1 ;;
  Deleted* | default* | *" $DEV "*' inet '* | *': br-'*' inet '* | '# new generation'*) return 0 ;;
  *) return 1 ;;
  esac
}

# The other nodes, by their address on the mesh: those that the Worker named, and those that ZeroTier has a route to.
others() {
  {
    peer_addresses | cut -d ' ' -f 2
    ip -4 route show dev "$DEV" proto static 2>/dev/null | awk -v ours="metric $ROUTE_METRIC" '!index($0 " ", " " ours " ") {
      for (i = 2; i < NF; i++) if ($i == "via") print $(i + 1)
    }'
  } | sort -u
}

# Those of stdin that have not answered since the interface was made: the kernel knows no neighbour there.
unanswered() {
  ip -4 neigh show dev "$DEV" 2>/dev/null | awk '/ lladdr / { print $1 }' >"$TMP/heard"
  # Not grep -f: without a line there busybox finds none, and others all.
  awk 'FILENAME != "-" { heard[$1]; next } !($1 in heard)' "$TMP/heard" -
}

# A packet to each address of stdin, all at once. Whether it is answered does not count, see unanswered.
speak() {
  while read -r address; do
    if has ping; then
      ping -n -q -c 1 -w 3 "$address"
    else
      curl --noproxy '*' -s -o /dev/null --connect-timeout 3 "http://$address:9/"
    fi >/dev/null 2>&1 </dev/null &
  done
  wait
}

# Whoever had talked to this server does not reach it after a restart of zerotier-one, unless it has spoken to him: seen on
# ZeroTier 1.14.1. A server that only answers would be cut off. So each is spoken to until he answers, and once more then: by
# the time that he says where he is, the kernel may have given the packet up. One that is off is spoken to once a minute.
greet() {
  pause=1
  : >"$TMP/silent"
  while :; do
    cp "$TMP/silent" "$TMP/spoken-to"
    others >"$TMP/others"
    unanswered <"$TMP/others" >"$TMP/silent"
    sort -u "$TMP/silent" "$TMP/spoken-to" >"$TMP/greeted"
    [ -s "$TMP/greeted" ] || [ ! -s "$TMP/others" ] || break
    speak <"$TMP/greeted"
    sleep $pause
    pause=$((pause < 30 ? pause * 2 : 60))
    # A slow controller gives the address late, and nobody hears this server before.
    [ $pause -le 4 ] || ip -o -4 addr show dev "$DEV" 2>/dev/null | grep -q . || pause=4
  done
}

# With what else comes within that time, since it mostly comes together; 1 when a monitor has ended meanwhile.
wait_for_more() { # SECONDS
  ! timeout "$1" cat <&7 | grep -qx gone
}

watch() {
  # To systemd any other code is a failure.
  trap 'exit 0' TERM INT
  use_saved_lease
  make_run
  watch_mark >"$RUN/watching"
  greet &
  # A run of `up` or `down` comes first, and changes much.
  flock "$RUN/lock" true
  mkfifo "$TMP/changes"
  exec 7<>"$TMP/changes"
  tell_changes
  # What has changed before.
  "$0" keep || :
  kept=0 repeats=0
  while read -r change <&7; do
    if [ "$change" != gone ] && is_ours_to_keep "$change"; then
      # Whoever changes something without end does not keep this server busy.
      [ $(($(uptime_seconds) - kept)) -lt 60 ] || repeats=0
      repeats=$((repeats + 1))
      wait_for_more $((repeats <= 10 ? 1 : 30)) || change=gone
      "$0" keep || :
      kept=$(uptime_seconds)
    fi
    # systemd starts the service anew.
    [ "$change" != gone ] || fail 'ip monitor or nft monitor has ended'
  done
}
