# The verb doctor: every link of the chain in order, each after those that it needs. It changes nothing, and each call has a
# time limit.

# With --json what is found is kept, as records of five fields, and shown in the end.
finding() { # LEVEL [SAW [EXPECTED [REMEDY]]]
  FOUND=$1
  case $1 in
  ok) color=32 ;;
  note) color=36 ;;
  warning)
    color=33
    WARNINGS=$((WARNINGS + 1))
    ;;
  fault)
    color=31
    FAULTS=$((FAULTS + 1))
    BROKEN="$BROKEN $LINK"
    ;;
  esac
  if [ -n "$JSON" ]; then
    printf '%s\037' "$LINK" "$1" "${2:-}" "${3:-}" "${4:-}" >>"$TMP/findings"
    printf '\036' >>"$TMP/findings"
  else
    [ -z "$COLOR" ] || printf '\033[%sm' "$color"
    printf '%-8s%s%s\n' "$1" "${COLOR:+$RESET}" "$LINK${2:+: $2}"
    [ -z "${3:-}" ] || printf '%8sexpected: %s\n' '' "$3"
    [ -z "${4:-}" ] || printf '%8sdo: %s\n' '' "$4"
  fi
}

fault() {
  finding fault "$@"
}

warning() {
  finding warning "$@"
}

findings_as_json() {
  awk 'BEGIN { RS = "\036"; FS = "\037"; split("link level saw expected remedy", key, " ") }
    {
      for (i = 1; i <= 5; i++) {
        gsub(/[^ -~]/, " ", $i)
        gsub(/[\\"]/, "\\\\&", $i)
        printf "%s\"%s\":\"%s\"", (i > 1 ? "," : NR > 1 ? ",{" : "{"), key[i], $i
      }
      printf "}"
    }' "$TMP/findings"
}

# Looks at a link, unless one that it needs is broken.
look() { # LINK NEEDED-LINK...
  LINK=$1
  FOUND=''
  shift
  for needed; do
    case "$BROKEN " in
    *" $needed "*)
      BROKEN="$BROKEN $LINK"
      finding note "not checked: it needs $needed"
      return 0
      ;;
    esac
  done
  "doctor_$LINK"
  [ -n "$FOUND" ] || finding ok
}

# What keeps a server out, but none that is in.
at_enrolment() { # SAW EXPECTED REMEDY
  if has_lease && [ ! -s "$ETC/key" ]; then
    warning "$@"
  else
    fault "$@"
  fi
}

doctor_settings() {
  why=$( (read_settings) 2>&1) || :
  if [ -n "$why" ]; then
    fault "${why#*refused: }" '' 'mend it, systemctl restart meshboot'
  else
    read_settings
  fi
}

doctor_lease() {
  if ! has_lease; then
    BROKEN="$BROKEN lease"
    warning 'none yet' '' 'meshboot up; journalctl -u meshboot -n 30 says where it stops'
  elif ! use_lease "$STATE/lease"; then
    fault "/var/lib/meshboot/lease is not sound: $REASON" '' "rm /var/lib/meshboot/lease; $NEW_KEY. The one that let this server in will do"
  fi
}

# One call tells of the Worker, of token or key, and of the clock. A secret goes in by standard input.
ask_worker() {
  if [ -n "$NODE" ] && read_secret "$STATE/token"; then
    set -- "/v1/nodes/$NODE" "header = \"Authorization: Bearer $secret\""
  elif read_secret "$ETC/key"; then
    set -- "/boot/$secret" ''
  else
    set -- /healthz ''
  fi
  HTTP=$(printf 'url = "%s"\n%s\n' "$URL$1" "$2" | timeout 5 curl -K - -gsS --connect-timeout 3 --max-time 4 -H 'Accept: text/plain' \
    -D "$TMP/headers" -o "$TMP/answer" -w '%{http_code}' 2>"$TMP/curl") || CURL=$?
}

doctor_worker() {
  ask_worker
  why=$(head -n 1 "$TMP/curl")
  case $CURL in
  5 | 6) set -- DNS 'cat /etc/resolv.conf; resolvectl status' ;;
  7 | 28 | 124) set -- TCP "ip route get; the provider's firewall. A Worker that is down stops nothing that runs" ;;
  35 | 5[1389] | 60 | 66 | 77 | 8[0-3] | 9[01]) set -- TLS 'date (a wrong clock?); apt-get install ca-certificates' ;;
  *) set -- HTTP "URL in $CONF; GET /healthz there, with the admin token" ;;
  esac
  if [ "$CURL" = 0 ]; then
    case $HTTP$(field answer TYPE=) in
    200 | 401/* | 404/*) return 0 ;;
    ???/*) why=$(the_problem) ;;
    *) why="$URL says $HTTP, and is no Meshboot Worker" ;;
    esac
  fi
  BROKEN="$BROKEN worker"
  at_enrolment "$1: $why" "$URL answers" "$2"
}

doctor_key() {
  if has_lease && ! read_secret "$STATE/token"; then
    fault 'a lease and no token' 'mbn_... in /var/lib/meshboot/token' "$NEW_KEY"
  elif ! has_lease && ! read_secret "$ETC/key"; then
    fault 'neither lease nor key' 'mbk_... in /etc/meshboot/key' "$NEW_KEY"
  else
    case "$BROKEN $HTTP" in
    *' worker '*) finding note 'not checked: it needs worker' ;;
    *' 401' | *' 404') fault "the Worker refuses it: $(field answer DETAIL=)" '' "$NEW_KEY" ;;
    esac
    ! grep -qs '"state":"revoked"' "$TMP/answer" ||
      fault "node $NODE is revoked" 'state active' "POST /v1/nodes/$NODE/approve at the Worker; taken out at ZeroTier Central: authorize it there"
  fi
}

doctor_clock() {
  there=$(workers_time)
  if [ -z "$there" ]; then
    finding note 'not checked: the Worker said no date'
    return 0
  fi
  off=$(($(date +%s) - there))
  [ ${off#-} -le 900 ] || at_enrolment "$off s off the Worker's" 'at most 900 s' 'timedatectl set-ntp true'
}

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

option() { # NAME: its value among what dockerd is to have
  echo "$WANTED" | tr ' ' '\n' | sed -n "s/^--$1=//p"
}

doctor_dockerd() {
  if ! has dockerd; then
    BROKEN="$BROKEN dockerd"
    if [ "$DOCKER" = present ]; then
      finding note 'none yet (DOCKER=present)'
    else
      fault 'not installed' '' 'meshboot up'
    fi
    return 0
  fi
  look_at_docker
  clash=$( (
    choose_options
    read_docker_unit
    check_docker_flags
  ) 2>&1 | sed -n 's/.*refused: //p')
  if [ -n "$clash" ]; then
    fault "$clash" '' 'remove it there; meshboot up'
    return 0
  fi
  choose_options 2>/dev/null
  if ! is_running docker; then
    fault 'docker.service does not run' '' 'systemctl start docker; journalctl -u docker -n 30'
  elif ! docker_runs_with_options; then
    # shellcheck disable=SC2046 # paths of units hold no blanks
    start=$(exec_start $(for file in $DOCKER_FRAGMENT $DOCKER_DROPINS; do echo "$R$file"; done) </dev/null)
    apply='meshboot up'
    names=$(running_containers Names | tr '\n' ' ')
    [ -z "$names" ] || apply="meshboot up --restart-docker, which restarts $names"
    if [ ! -e "$R$UNITS/docker.service.d/50-meshboot.conf" ] && [ ! -e "$R$UNITS/docker.service.d/zz-50-meshboot.conf" ]; then
      fault "it has not got the lease's options yet" "$options" "$apply"
    else
      case ${start%% *} in
      *-meshboot.conf) fault "it runs without the lease's options" "$options" "$apply" ;;
      *) fault "ExecStart of ${start%% *} wins" "$options" 'meshboot up; a name that sorts behind zz-50-meshboot.conf: rename it' ;;
      esac
    fi
  elif ! docker network ls -q >"$TMP/networks"; then
    fault 'dockerd does not answer' '' 'systemctl restart docker'
  else
    for net in $(option bip) $(option fixed-cidr-v6); do
      [ -n "$(ip -o addr show dev docker0 to "$net" 2>/dev/null)" ] || fault "docker0 has no address in $net" '' 'systemctl restart docker'
    done
    # shellcheck disable=SC2016,SC2046 # a template of Docker's; ids, one word each
    outside=$(docker network inspect -f '{{$n := .Name}}{{range .IPAM.Config}}{{println .Subnet $n}}{{end}}' $(cat "$TMP/networks") |
      pool_awk '$1 ~ /^[0-9.]+\/[0-9]+$/ && $2 != "bridge" && !inside($1, own) { printf " %s", $2 }')
    [ -z "$outside" ] || finding note "networks outside the mesh:$outside" '' 'a network has a piece of the lease when it is made anew and one is free: see docs/docker.md'
  fi
}

doctor_rules() {
  wanted_rules
  if ! nft list table inet meshboot >/dev/null 2>&1; then
    fault 'nft table inet meshboot is gone' '' 'meshboot up; systemctl status nftables'
  elif [ "$(rules_print)" != "$(read_file "$RUN/nft")" ]; then
    fault 'nft table inet meshboot was changed, or is out of date' '' 'meshboot up'
  fi
  firewall_gaps >"$TMP/gaps"
  while IFS= read -r gap; do
    fault "${gap%: *}" '' "${gap##*: }"
  done <"$TMP/gaps"
}

doctor_nat66() {
  [ -n "$(option fixed-cidr-v6)" ] || return 0
  if has_nft_backend; then
    rules=$(nft list table ip6 docker-bridges 2>/dev/null | grep 'docker0.* masquerade') || :
  else
    rules=$(ip6tables -w -t nat -S POSTROUTING 2>/dev/null | grep -e '! -o docker0 .*MASQUERADE') || :
  fi
  mend='systemctl restart docker'
  case $json in
  *'json iptables false'*)
    finding note 'iptables is off in daemon.json: nothing translates, unless you do'
    return 0
    ;;
  *'json ip6tables '* | *'json ip-masq '*) mend='take ip6tables and ip-masq out of /etc/docker/daemon.json; systemctl restart docker' ;;
  esac
  container=$(docker ps --format '{{.Names}} {{.Image}}' | awk '$2 ~ /ipv6nat/ { print $1 }')
  case $IPV6NAT in
  container) [ -n "$container" ] || fault 'no ipv6nat container runs' '' 'meshboot up; journalctl -u meshboot-ipv6nat' ;;
  off) [ -z "$rules" ] || [ -n "$container" ] || warning 'something translates' "nothing (IPV6NAT=off)" "$mend" ;;
  *)
    [ -z "$container" ] || fault "both dockerd and container $container translate" one "docker rm -f $container"
    [ -n "$rules" ] || fault "no MASQUERADE for $(option fixed-cidr-v6)" '' "$mend"
    ;;
  esac
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

doctor_compose() {
  [ "$COMPOSE" != on ] || has docker-compose || docker compose version >/dev/null || fault 'not installed' "COMPOSE=on in $CONF" 'meshboot up'
}

doctor_agent() {
  case $(systemctl is-enabled meshboot.service meshboot.timer 2>/dev/null | tr '\n' ' ') in
  *disabled* | *masked* | *not-found*) warning 'meshboot.service or meshboot.timer is not enabled: nothing mends drift, nor renews the lease' '' 'systemctl enable --now meshboot.service meshboot.timer' ;;
  esac
  [ ! -s "$RUN/failed" ] || warning "the last up stopped at $(cat "$RUN/failed"): $(tail -n 1 "$RUN/log")" '' 'do what it says, then meshboot up'
}

# From here on no call waits for long, those of other parts included.
limit_calls() {
  # shellcheck disable=SC2317 # the parts call them
  {
    systemctl() { timeout 4 systemctl "$@"; }
    docker() { timeout 3 docker "$@" 2>/dev/null </dev/null; }
    iptables() { timeout 2 iptables "$@"; }
    ip6tables() { timeout 2 ip6tables "$@"; }
    nft() { timeout 4 nft "$@"; }
  }
}

doctor() { # [json]
  limit_calls
  : >"$TMP/findings"
  JSON=$1 BROKEN='' FAULTS=0 WARNINGS=0 COLOR='' CURL=0 WANTED=''
  RED='' PLAIN='' RESET=$(printf '\033[0m')
  [ ! -t 1 ] || [ -n "${NO_COLOR:-}" ] || COLOR=yes
  # As the last up found it. Switched off since then it is a fault.
  if ! has_ipv6 && [ -e "$RUN/ipv4" ]; then
    IPV6=off
  fi
  NEW_KEY='write a key (POST /v1/keys at the Worker makes one) into /etc/meshboot/key; meshboot up'
  look settings
  look lease
  look worker settings
  look key settings
  look clock worker
  look zerotier
  look network lease zerotier
  look limits network
  look address network
  look routes address
  look uplink
  look sysctls lease
  look dockerd settings lease
  look rules settings lease
  look nat66 dockerd
  look peers address
  look mtu address
  look compose settings
  look agent
  rc=0 worst=ok
  [ $WARNINGS = 0 ] || rc=1 worst=warning
  [ $FAULTS = 0 ] || rc=3 worst=fault
  if [ -n "$JSON" ]; then
    printf '{"node":"%s","checks":[%s],"worst":"%s"}\n' "$NODE" "$(findings_as_json)" $worst
  elif [ $rc = 0 ]; then
    echo healthy
  else
    echo "faults: $FAULTS, warnings: $WARNINGS. The first may be the cause of the rest"
  fi
  exit $rc
}
