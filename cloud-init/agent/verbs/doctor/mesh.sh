# The links of doctor that make the mesh: zerotier-one, its network, addresses, routes, peers.

doctor_zerotier() {
  if ! has zerotier-cli; then
    fault 'not installed' '' 'meshboot up'
  elif ! is_running zerotier-one; then
    fault 'zerotier-one.service does not run' '' 'systemctl start zerotier-one; journalctl -u zerotier-one'
  else
    IFS=' ' read -r _ _ id _ state <<EOF || :
$(timeout 4 zerotier-cli info 2>/dev/null </dev/null)
EOF
    port=$(read_file "$ZT/zerotier-one.port" | tr -cd 0-9)
    case $id-$state in
    -*) fault 'zerotier-cli info says nothing' '' 'systemctl restart zerotier-one; journalctl -u zerotier-one' ;;
    "${NODE:-$id}"-ONLINE) ;;
    "${NODE:-$id}"-*) warning "$state" ONLINE "let UDP ${port:-9993} in and out. TUNNELED is slow, OFFLINE finds no new peers" ;;
    *) fault "the identity is $id" "$NODE, which has the lease" 'put /var/lib/zerotier-one/identity.* back; or meshboot down, a new key, meshboot up' ;;
    esac
    grep -qs ":$(printf %04X "${port:-9993}") " "$R/proc/net/udp" "$R/proc/net/udp6" || warning "nothing listens on UDP ${port:-9993}" '' 'systemctl restart zerotier-one'
  fi
}

doctor_network() {
  look_at_network
  case $ZT_STATUS in
  OK) return 0 ;;
  '') set -- 'meshboot up' ;;
  ACCESS_DENIED) set -- "authorize $NODE at ZeroTier Central, or POST /v1/nodes/$NODE/approve at the Worker" ;;
  NOT_FOUND) set -- 'ZEROTIER_NETWORK at the Worker must be a network that exists' ;;
  PORT_ERROR) set -- 'modprobe tun; ls -l /dev/net/tun; systemctl restart zerotier-one' ;;
  REQUESTING_CONFIGURATION) set -- 'the controller does not answer: wait a minute; let UDP 9993 out' ;;
  *) set -- 'CLIENT_TOO_OLD: update zerotier-one. AUTHENTICATION_REQUIRED: SSO off' ;;
  esac
  if [ "$ZT_STATUS" = REQUESTING_CONFIGURATION ] && has_address; then
    warning "$ZT_STATUS" OK "$1"
  else
    fault "${ZT_STATUS:-not joined}" "OK in network $L_NETWORK" "$1"
  fi
}

doctor_limits() {
  file=networks.d/$L_NETWORK.local.conf
  grep -qsxF "allowManaged=$MESH" "$ZT/$file" ||
    warning "$file lets the network set other addresses and routes here" "allowManaged=$MESH" 'meshboot up'
  conf=$(read_file "$ZT/local.conf")
  off=''
  for word in docker br- veth $(echo "$MESH" | tr , ' '); do
    case $conf in *"\"$word\""*) ;; *) off="$off $word" ;; esac
  done
  [ -z "$off" ] || warning "local.conf does not keep ZeroTier off$off" '' 'meshboot up'
}

doctor_address() {
  if [ "$ZT_DEV" != "$DEV" ]; then
    fault "the interface is ${ZT_DEV:-gone}" "$DEV" 'meshboot up'
  elif ! has_address; then
    fault "$DEV lacks $L_ZEROTIER_IPV4" '' 'systemctl restart zerotier-one; has the member that address at ZeroTier Central?'
  elif [ "$IPV6" = off ]; then
    :
  elif [ "$(read_file "$R/proc/sys/net/ipv6/conf/$DEV/disable_ipv6")" = 1 ]; then
    fault "IPv6 is off on $DEV" '' "grep -r disable_ipv6 /etc/sysctl*; sysctl -w net.ipv6.conf.$DEV.disable_ipv6=0; systemctl restart zerotier-one"
  elif [ -z "$(ip -o -6 addr show dev "$DEV" to "$NET6::1")" ]; then
    fault "$DEV lacks $NET6::1/40" '' 'systemctl restart zerotier-one; is 6PLANE on at ZeroTier Central?'
  fi
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

doctor_routes() {
  our_routes | routes_batch >"$TMP/routes"
  [ ! -s "$TMP/routes" ] ||
    fault "$(wc -l <"$TMP/routes") missing or wrong: $(sed -n '1s/^route [a-z]* \([^ ]*\).*/\1/p' "$TMP/routes")" "$((SLOTS - 1)) on $DEV" 'meshboot up'
  foreign=$(foreign_routes | head -n 3)
  [ -z "$foreign" ] ||
    fault "not ours, and before ours: $(echo "$foreign" | awk '{ printf "%s%s", (NR > 1 ? "; " : ""), $0 }')" "$MESH on $DEV" "ip route del $(echo "$foreign" | awk 'NR == 1 { print $1, "dev", $2 }'); mend what sets it: another VPN, a Docker network"
  [ -z "$FOUND" ] || return 0
  probe=$(pool_awk 'BEGIN { print txt(first(pool) + (n == 1 ? 2 : 1) * s + 1) }' </dev/null)
  case $(ip -4 route get "$probe" 2>&1) in
  *" dev $DEV "*) ;;
  *) fault "a policy rule sends $probe elsewhere" "$DEV" "ip route get $probe; ip rule; keep $MESH out of that VPN" ;;
  esac
}

doctor_uplink() {
  [ "$IPV6" = on ] || finding note 'IPv6 is off on this host: the containers have IPv4 alone'
  six=$(ip -6 route show default 2>/dev/null) || six=''
  [ -n "$six$(ip -4 route show default)" ] || fault 'no default route' '' "the provider's settings: systemctl restart networking; netplan apply"
  for device in $(read_file "$R$SYSCTL" | sed -n 's|^net/ipv6/conf/\(.*\)/accept_ra=2$|\1|p'); do
    have=$(read_file "$R/proc/sys/net/ipv6/conf/$device/accept_ra")
    if [ "${have:-2}" != 2 ]; then
      fault "accept_ra of $device is $have: with forwarding on, its IPv6 default route goes" 2 "sysctl -w net.ipv6.conf.$device.accept_ra=2"
    elif [ "${six#*" dev $device "}" = "$six" ] && [ -e "$STATE/router" ]; then
      warning "$device has no IPv6 default route" 'one by router advertisement' 'rdisc6; the next advertisement brings it'
    fi
  done
}

doctor_sysctls() {
  wrong=$(sysctl_lines | grep -v accept_ra | while IFS='=' read -r key value; do
    have=$(read_file "$R/proc/sys/$key")
    [ "${have:-$value}" = "$value" ] || printf '%s=%s ' "$key" "$have"
  done)
  [ -z "$wrong" ] || fault "$wrong" 1 'meshboot up; grep -rE "forward|proxy_ndp" /etc/sysctl*'
}

doctor_peers() {
  if [ ! -s "$STATE/peers" ]; then
    finding note 'none known yet'
    return 0
  elif ! has ping; then
    finding note 'not checked: it needs ping (apt-get install iputils-ping)'
    return 0
  fi
  peer_addresses >"$TMP/peers"
  awk '{ for (i = 2; i <= 4; i++) print $1, $i }' "$TMP/peers" | ping_all >"$TMP/answered"
  if [ ! -s "$TMP/answered" ]; then
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
    case $how in
    0) warning "$name is silent, others answer" '' "$name may be down: meshboot doctor there" ;;
    4) finding $level "$name: IPv4 alone answers, not $gateway6" '' "ip -6 route get $gateway6; ip6tables -S INPUT; the same there" ;;
    6) finding $level "$name: IPv6 alone answers, not $zerotier" '' "ip route get $zerotier; iptables -S INPUT; the same there" ;;
    bare) finding note "$name: no gateway $gateway4. Is dockerd down there, or LAYOUT=compose?" ;;
    esac
  done <"$TMP/heard"
}

# The largest packet of a container, not to be split, to those that answer a small one.
doctor_mtu() {
  size=$(read_file "$R/sys/class/net/docker0/mtu")
  size=${size:-1500}
  mtu=$(read_file "$R/sys/class/net/$DEV/mtu")
  if [ "${mtu:-2800}" -lt "$size" ]; then
    fault "$mtu on $DEV" "Docker's $size or more" "ip link set $DEV mtu 2800, and so at ZeroTier Central; or --mtu=$mtu in DOCKER_OPTS"
    return 0
  fi
  for family in 4 6; do
    grep -s "$([ $family = 6 ] && echo : || echo '[.]')" "$TMP/answered" | sort -u -k 1,1 >"$TMP/small"
    ping_all -M 'do' -s $((size - (family == 4 ? 28 : 48))) <"$TMP/small" >"$TMP/large"
    lost=$(grep -vxF -f "$TMP/large" "$TMP/small" | tr '\n' ' ') || :
    [ -z "$lost" ] || fault "$size bytes do not reach $lost" 'as a small packet does' 'a lower --mtu in DOCKER_OPTS here and there: the way drops large packets'
  done
}
