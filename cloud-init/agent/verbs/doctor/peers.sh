# The links of doctor to the other nodes that the Worker named.

# `name ZeroTier-address gateway4 gateway6` of each.
peer_addresses() {
  read_file "$STATE/peers" | tr : ' ' |
    pool_awk '$1 <= top { print $3, txt(first(zt) + $1), txt(first(pool) + $1 * s + 1), six(network $2) "::1" }' -v network="$SIX" |
    tr -cd 'a-z0-9.: \n-'
}

# Sends one packet to each address of stdin (`name address`), all at once; prints the lines of those that answer.
ping_all() { # OPTION...
  while IFS=' ' read -r name address; do
    {
      if ping -n -q -c 1 -w 3 "$@" "$address" >/dev/null 2>&1 </dev/null; then
        echo "$name $address"
      fi
    } &
  done
  wait
}

# What the kernel knows of a node's ZeroTier address, a word of `ip neigh`; nothing when it was never asked for.
neighbour_state() { # ADDRESS
  ip -4 neigh show to "$1" dev "$DEV" 2>/dev/null | awk '{ print $NF }'
}

# Has the kernel ask again for whom it knows: what it knew could be half a minute old.
ask_neighbours() {
  while IFS=' ' read -r _ zerotier _; do
    ip -4 neigh change "$zerotier" dev "$DEV" nud probe 2>/dev/null || :
  done <"$TMP/peers"
}

# Whether one of the nodes answers ARP, which no firewall of its host closes.
hears_anybody() {
  while IFS=' ' read -r _ zerotier _; do
    [ "$(neighbour_state "$zerotier")" != REACHABLE ] || return 0
  done <"$TMP/peers"
  return 1
}

doctor_peers() {
  if [ ! -s "$STATE/peers" ]; then
    finding note 'none known yet' '' 'meshboot up asks the Worker for them; the only server of a mesh has none'
    return 0
  elif ! has ping; then
    finding note 'not checked: it needs ping (apt-get install iputils-ping)'
    return 0
  fi
  peer_addresses >"$TMP/peers"
  ask_neighbours
  awk '{ for (i = 2; i <= 4; i++) print $1, $i }' "$TMP/peers" | ping_all >"$TMP/answered"
  if [ ! -s "$TMP/answered" ] && ! hears_anybody; then
    level=fault may=''
    if [ "$(wc -l <"$TMP/peers")" -le 1 ]; then
      level=warning may='it may be down: meshboot doctor there; '
    fi
    finding $level "silent: $(cut -d ' ' -f 1 "$TMP/peers" | tr '\n' ' ')" 'at least one answers' "${may}zerotier-cli peers; let UDP 9993 in and out"
    return 0
  fi
  awk -v six=$IPV6 'NR == FNR { got[$1, $2]; got[$1]; next }
    {
      v6 = ($1, $4) in got || six == "off"
      print (!($1 in got) ? 0 : !v6 ? 4 : ($1, $3) in got ? "ok" : ($1, $2) in got ? "bare" : 6), $0
    }' "$TMP/answered" "$TMP/peers" >"$TMP/heard"
  # Where others answer by both, it is that one's.
  level=fault
  ! grep -qE '^(ok|bare) ' "$TMP/heard" || level=warning
  while IFS=' ' read -r how name zerotier gateway4 gateway6; do
    case $how$(neighbour_state "$zerotier") in
    0REACHABLE) finding note "$name answers ARP and no ping: a firewall there closes INPUT to ICMP, which keeps nobody from its containers" ;;
    0*) warning "$name is silent, others answer" '' "$name may be down: meshboot doctor there" ;;
    4*) finding $level "$name: IPv4 alone answers, not $gateway6" '' "ip -6 route get $gateway6; ip6tables -S INPUT; the same there" ;;
    6FAILED | 6INCOMPLETE) warning "$name: IPv6 alone answers: nobody answers ARP for $zerotier" '' 'wait two minutes: after a start of zerotier-one without roots or controller it takes that long; then zerotier-cli peers' ;;
    6*) finding $level "$name: IPv6 alone answers, not $zerotier" '' "ip route get $zerotier; iptables -S INPUT; the same there" ;;
    bare*) finding note "$name: no gateway $gateway4. Is dockerd down there, or LAYOUT=compose?" ;;
    esac
  done <"$TMP/heard"
}

# The largest packet of a container, not to be split, to those that answer a small one. Where the mesh's own are smaller, this host
# says so to who sends a larger one.
doctor_mtu() {
  look_at_packets
  size=$PACKET
  if [ "$TUNNEL" -lt "$size" ]; then
    finding note "$TUNNEL on $DEV, and containers have $size: larger packets are answered, and sent again smaller" '' "MTU=auto in $CONF spares them that"
    size=$TUNNEL
  fi
  for family in 4 6; do
    grep -s "$([ $family = 6 ] && echo : || echo '[.]')" "$TMP/answered" | sort -u -k 1,1 >"$TMP/small"
    ping_all -M 'do' -s $((size - (family == 4 ? 28 : 48))) <"$TMP/small" >"$TMP/large"
    # Not grep -f, see unanswered.
    lost=$(awk 'FILENAME != "-" { large[$0]; next } !($0 in large) { printf "%s ", $0 }' "$TMP/large" - <"$TMP/small")
    [ -z "$lost" ] || fault "$size bytes do not reach $lost" 'as a small packet does' "the way drops large packets: MTU=1400 or less in $CONF, here and there, or that MTU for the network at its controller"
  done
}
