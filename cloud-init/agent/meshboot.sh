#!/bin/sh
# meshboot: makes this server a node of a Meshboot mesh (ZeroTier, routes, rules, dockerd) and keeps it one.
#
#   meshboot up [--dry-run]     enrol and apply; --retry (the service's): until it succeeds, with growing pauses
#   meshboot status [--json]    what is leased and what is in place
#   meshboot down [--release]   undo all that up did; --release also gives the lease back
#   meshboot heartbeat          report to the Worker
#   meshboot rules              load the firewall rules of the saved lease (docker.service calls it)
#
# Exit codes: 0 done, 1 failed but worth a retry, 2 wrong usage, 3 refused: somebody has to change something.
# Environment: MESHBOOT_ROOT, a directory to work under instead of / (tests).
# Settings: /etc/meshboot/meshboot.conf, enrolment key: /etc/meshboot/key, state: /var/lib/meshboot, log: /run/meshboot/log.
#
# What comes from outside (settings, the Worker, zerotier-cli) is matched against patterns and never evaluated.
#
# Every byte counts: this file travels inside user-data, and shipped.ts takes its comment lines and indentation away. So no
# here-document may need either.
set -euf

VERSION=0.1.0
R=${MESHBOOT_ROOT:-}
ETC=$R/etc/meshboot
STATE=$R/var/lib/meshboot
RUN=$R/run/meshboot
ZT=$R/var/lib/zerotier-one
SYSCTL=/etc/sysctl.d/90-meshboot.conf
UNITS=/etc/systemd/system
LOG=/dev/null STEP=meshboot DRY='' DEV='' NODE='' HTTP=000 UNDO='' SUBNET4=0.0.0.0/32 SLOTS=0

# --- saying, failing, running. In a dry run everything is said and nothing is done ---

say() { printf 'meshboot: %s%s: %s\n' "$DRY" "$STEP" "$1" | tee -a "$LOG"; }
warn() { say "$1" >&2; }
fail() {
  warn "failed: $1"
  exit 1
}
refuse() {
  warn "refused: $1"
  exit 3
}
dry() { [ -n "$DRY" ]; }
run() { if dry; then say "runs $*"; else "$@"; fi; }
has() { command -v "$1" >/dev/null 2>&1; }
has_lease() { [ -s "$STATE/lease" ]; }
read_file() { cat "$1" 2>/dev/null || :; }
true_or_false() { if "$@"; then echo true; else echo false; fi; }

# --- files: whole or not at all, only when they change; the first writing keeps what was there for `down` ---

put_file() { # PATH MODE, content on stdin
  text=$(cat && echo .)
  text=${text%.}
  if [ -f "$R$1" ] && printf %s "$text" | cmp -s - "$R$1"; then return 0; fi
  say "writes $1"
  dry && return 0
  mkdir -p "$R${1%/*}" "$STATE/kept"
  if [ "${1#/var/lib/meshboot}" = "$1" ] && ! grep -qsxF "$1" "$STATE/files"; then
    if [ -e "$R$1" ]; then cp -p "$R$1" "$STATE/kept/$(echo "$1" | tr / %)"; fi
    echo "$1" >>"$STATE/files"
  fi
  case $1 in *.service.d/*) mkdir -p "$RUN" && : >"$RUN/reload" ;; esac
  (umask 077 && printf %s "$text" >"$R$1.meshboot-tmp")
  chmod "$2" "$R$1.meshboot-tmp"
  mv -f "$R$1.meshboot-tmp" "$R$1"
}

# Puts the files that match back to what they were before us.
drop_files() { # PATTERN
  read_file "$STATE/files" | grep -E "$1" | while read -r path; do
    rm -f "$R$path" "$R$path.meshboot-tmp"
    mv -f "$STATE/kept/$(echo "$path" | tr / %)" "$R$path" 2>/dev/null || :
    case $path in *.service.d/*) rmdir "$R${path%/*}" 2>/dev/null || : ;; esac
  done
}

# --- reading what others wrote ---

# IPv4 in awk. No {n} in patterns: mawk 1.3.4, as in Debian 12, does not know them. No ^: busybox has no power function.
AWK_IP='
function num(s, a) { split(s, a, "."); return ((a[1] * 256 + a[2]) * 256 + a[3]) * 256 + a[4] }
function txt(n) { return int(n / 16777216) "." (int(n / 65536) % 256) "." (int(n / 256) % 256) "." (n % 256) }
function len(s, a) { return split(s, a, "/") == 2 ? a[2] + 0 : 32 }
function two(n, r) { for (r = 1; n > 0; n--) r *= 2; return r }
function size(s) { return two(32 - len(s)) }
function first(s, n) { n = num(substr(s, 1, index(s "/", "/") - 1)); return n - n % size(s) }
function net(s) { return txt(first(s)) "/" len(s) }
function overlap(a, b) { return first(a) < first(b) + size(b) && first(b) < first(a) + size(a) }
function inside(a, b) { return len(a) >= len(b) && overlap(a, b) }
'

# awk over the lease's numbers: z, d the ranges, p the length of a node's prefix and s its size, n the slot, own the subnet.
pool_awk() {
  awk -v z="$L_POOL_ZEROTIER" -v d="$L_POOL_DOCKER" -v p="$L_POOL_NODE_PREFIX" -v n="$L_SLOT" -v at="$L_ZEROTIER_IPV4" -v own="$SUBNET4" -v dev="$DEV" -v undo="$UNDO" -v top="$SLOTS" "$AWK_IP BEGIN { s = two(32 - p) } $1"
}

# A lease (KEY=value lines) into variables L_KEY and what follows from them. 1 when it is not sound: its parts have to fit together.
use_lease() { # FILE
  keys=' NETWORK NODE NAME SLOT STATE ZEROTIER_IPV4 DOCKER_IPV4_SUBNET POOL_ZEROTIER POOL_DOCKER POOL_NODE_PREFIX TOKEN '
  for key in $keys; do export "L_$key="; done
  while IFS='=' read -r key value; do
    case $keys in *" $key "*) ;; *) continue ;; esac
    case $value in *[!A-Za-z0-9./_-]*) return 1 ;; esac
    [ ${#value} -le 80 ] || return 1
    export "L_$key=$value"
  done <"$1"
  NODE=$L_NODE SUBNET4=$L_DOCKER_IPV4_SUBNET
  case $L_NETWORK$NODE in *[!0-9a-f]*) return 1 ;; esac
  [ ${#L_NETWORK}-${#NODE} = 16-10 ] || return 1
  derived=$(pool_awk 'BEGIN {
    if (n + 0 < 1 || p + 0 > 28 || p + 0 <= len(d) || z != net(z) || d != net(d) || len(z) < 8 || len(d) < 8 || overlap(z, d)) exit 1
    top = int(size(z) / 16) * 15 - 1; if (top >= size(d) / s) top = size(d) / s - 1
    a = first(d) + n * s; h = "/" (p + 1)
    if (n + 0 > top || at != txt(first(z) + n) "/" len(z) || own != txt(a) "/" p) exit 1
    print top, txt(a + 1) h, txt(a) h, txt(a + s / 2) h ",size=" (p < 28 ? 28 : 29) }') || return 1
  IFS=' ' read -r SLOTS BIP LOWER UPPER <<EOF
$derived
EOF
  six=$(printf 'fc%08x%s' $((0x${L_NETWORK%????????} ^ 0x${L_NETWORK#????????})) "$NODE")
  NET6=$(echo "$six" | sed 's/..../&:/g; s/:$//; s/:00*\([0-9a-f]\)/:\1/g')
  SUBNET6=$NET6::/80
  MESH=$L_POOL_ZEROTIER,$L_POOL_DOCKER,$(echo "$six" | sed 's/^\(....\)\(....\)\(..\).*/\1:\2:\300::\/40/')
  DEV=$(read_file "$STATE/interface")
}
saved_lease() {
  has_lease || refuse 'no lease: meshboot up'
  use_lease "$STATE/lease" || fail '/var/lib/meshboot/lease is not sound'
}

read_settings() {
  URL='' NAME='' DOCKER=distro IPV6NAT=auto USERLAND_PROXY=on COMPOSE=off ALLOW_OVERLAP=off
  ZEROTIER_REPOSITORY=https://download.zerotier.com
  ZEROTIER_FINGERPRINT=74A5E9C458E1A431F1DA57A71657198823E52A61
  conf=/etc/meshboot/meshboot.conf
  settings=$(read_file "$R$conf" | grep -v '^#' || :)
  odd=$(echo "$settings" | grep -vE '^((URL|ZEROTIER_REPOSITORY)=https?://[a-zA-Z0-9:./_~-]+|NAME=[a-z0-9-]{1,63}|(DOCKER|LAYOUT|IPV6NAT|USERLAND_PROXY|COMPOSE|ALLOW_OVERLAP)=(present|distro|official|split|auto|docker|off|on)|ZEROTIER_FINGERPRINT=[0-9A-F]{40})?$') || :
  [ -z "$odd" ] || refuse "$conf: this version does not know $odd"
  for line in $settings; do export "${line%/}"; done
  [ -n "$URL" ] || refuse "$conf has no URL=https://..."
  HOST=${URL#*://}
  HOST=${HOST%%/*}
  HOST=${HOST%:443} HOST=${HOST%:80}
}

# IPv4 prefixes that the host uses, `prefix device`: not docker0, which gets its addresses from us, and not the mesh.
host_networks() {
  {
    ip -o -4 addr show
    ip -4 route show
  } | awk -v mesh="$DEV" "$AWK_IP"'
    { p = d = "" }
    $3 == "inet" { p = $4; d = $2 }
    $3 != "inet" && $1 ~ /^[0-9]+\./ { p = $1; for (i = 2; i < NF; i++) if ($i == "dev") d = $(i + 1) }
    p == "" || d == "lo" || d == "docker0" || d == mesh || seen[net(p), d]++ { next }
    { print net(p), d }'
}

# Refuses those of them that lie in the mesh's ranges, but for Docker networks inside the own lease.
check_overlap() {
  STEP=preflight
  [ "$ALLOW_OVERLAP" = off ] || return 0
  host_networks | pool_awk '!($2 ~ /^br-/ && inside($1, own)) && (overlap($1, z) || overlap($1, d))' | while read -r prefix dev; do
    name=$(docker network inspect -f '{{.Name}}' "${dev#br-}" 2>/dev/null) || name=''
    refuse "$prefix ($dev${name:+, the Docker network $name}) overlaps the mesh ($MESH), which would cut it off: remove it, change the mesh, or set ALLOW_OVERLAP=on in meshboot.conf"
  done
}

# --- systemd ---

is_running() { case $(systemctl is-active "$1.service" 2>/dev/null) in active | activating | reloading) ;; *) return 1 ;; esac }
unit_value() { systemctl show -p "$2" "$1.service" 2>/dev/null | sed "s/^$2=//"; }
# Also when we wrote a drop-in: of the first one of a unit, in a folder that is new, systemd says no NeedDaemonReload.
reload_unit() {
  [ -e "$RUN/reload" ] || [ "$(unit_value "$1" NeedDaemonReload)" = yes ] || return 0
  run systemctl daemon-reload
  rm -f "$RUN/reload"
}

# --- the steps of up, in their order ---

check_system() {
  STEP=preflight
  [ -n "$R" ] || [ "$(id -u)" = 0 ] || refuse 'needs root'
  [ -d "$R/run/systemd/system" ] || refuse 'needs systemd'
  OS=$(read_file "$R/etc/os-release" | tr -d "\"'" | awk -F= '{ v[$1] = $2 } END { print v["ID"], v["VERSION_ID"], v["VERSION_CODENAME"] }' | tr -cd 'a-z0-9. ')
  case $OS in
  debian\ 1[23]\ * | ubuntu\ 2[246].04\ *) ;;
  *) refuse "$OS is not supported: Debian 12, 13 and Ubuntu 22.04, 24.04, 26.04 are" ;;
  esac
  ID=${OS%% *} CODENAME=${OS##* }
  check_daemon_json
}

# Before 27, dockerd has to be asked for its IPv6 firewall and NAT, and both are "experimental".
nat_options() {
  major=$(dockerd --version 2>/dev/null | sed -n 's/^Docker version \([0-9]*\)\..*/\1/p')
  case $IPV6NAT$((${major:-0} >= 27)) in
  off1) echo --ip6tables=false ;;
  auto0 | docker0) echo --experimental --ip6tables ;;
  esac
  if [ "$USERLAND_PROXY" = off ]; then echo --userland-proxy=false; fi
}

# dockerd does not start when a directive is in this file and on its command line, not even with the same value.
check_daemon_json() {
  clash=''
  for key in bip fixed-cidr ipv6 fixed-cidr-v6 default-address-pools $(if has dockerd; then nat_options; fi); do
    key=${key#--}
    if grep -qs "\"${key%=*}\"[[:space:]]*:" "$R/etc/docker/daemon.json"; then clash="$clash ${key%=*}"; fi
  done
  [ -z "$clash" ] || refuse "/etc/docker/daemon.json sets$clash, which meshboot sets: remove it there, dockerd takes it once only"
}

# Waits for other package managers, and finishes what a kill left half done.
apt() {
  tries=0
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  until apt-get -qy -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$TMP/apt" 2>&1 9>&-; do
    tries=$((tries + 1))
    warn "apt-get $1: $(tail -n 1 "$TMP/apt")"
    [ $tries -lt 5 ] || fail "apt-get $*"
    sleep $((tries * 5))
    dpkg --configure -a </dev/null >/dev/null 2>&1 9>&- || :
  done
}
install() { # PACKAGE...
  say "installs $*"
  dry && return 0
  apt update
  apt install --no-install-recommends "$@"
}

install_tools() {
  for tool in curl nft iptables ip gpg; do
    if ! has $tool; then
      install curl ca-certificates nftables iptables iproute2 gpg
      return 0
    fi
  done
}

add_repository() { # NAME KEY-URL FINGERPRINT `URL SUITE COMPONENT`
  say "adds the package repository $4 with the key $3"
  dry && return 0
  export GNUPGHOME="$TMP/$1"
  (umask 077 && mkdir -p "$GNUPGHOME")
  curl -fsSL --max-time 60 -o "$TMP/key" "$2" || fail "no key at $2"
  gpg --batch --import "$TMP/key" 2>/dev/null || :
  got=$(gpg --batch --with-colons --list-keys 2>/dev/null | awk -F: '$1 == "pub" { p = 1 } $1 == "fpr" && p { printf "%s ", $10; p = 0 }')
  [ "$got" = "$3 " ] || refuse "the key at $2 has the fingerprint ${got:-(none) }instead of $3"
  gpg --batch --armor --export | put_file "/usr/share/keyrings/meshboot-$1.asc" 644
  echo "deb [signed-by=/usr/share/keyrings/meshboot-$1.asc] $4" | put_file "/etc/apt/sources.list.d/meshboot-$1.list" 644
}

install_zerotier() {
  STEP=zerotier tries=0
  if ! has zerotier-one; then
    suite=$CODENAME at=$ZEROTIER_REPOSITORY
    # A release newer than ZeroTier's repository takes the newest suite that is there; its package works.
    if ! dry && ! curl -fsL -o /dev/null --max-time 30 "$at/debian/$suite/dists/$suite/InRelease"; then
      case $ID in debian) suite=bookworm ;; *) suite=noble ;; esac
    fi
    add_repository zerotier "$at/contact%40zerotier.com.gpg" "$ZEROTIER_FINGERPRINT" "$at/debian/$suite $suite main"
    install zerotier-one
  fi
  [ -e "$R/dev/net/tun" ] || run modprobe tun || warn 'there is no /dev/net/tun'
  is_running zerotier-one || run systemctl enable --now zerotier-one.service
  until dry || { [ -s "$ZT/identity.secret" ] && [ -s "$ZT/identity.public" ]; }; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] || fail 'no identity: see journalctl -u zerotier-one'
    sleep 1
  done
}

# --- talking with the Worker ---

call() { # METHOD PATH SECRET-FILE BODY-FILE: sets HTTP; the answer is in $TMP
  secret=$(head -n 1 "$3")
  case ${secret#mb[kn]_} in "$secret" | '' | *[!A-Za-z0-9_-]*) refuse "$3 holds no key (mbk_... or mbn_...)" ;; esac
  rm -f "$TMP/answer" "$TMP/headers"
  HTTP=$(echo "header = \"Authorization: Bearer $secret\"" | curl -K - -sS --max-time 60 --max-filesize 65536 \
    -X "$1" -H 'Accept: text/plain' -H 'Content-Type: application/json' --data-binary "@$4" \
    -D "$TMP/headers" -o "$TMP/answer" -w '%{http_code}' "$URL$2" 2>"$TMP/curl") || HTTP=000
}
field() { read_file "$TMP/$1" | tr -d '\r' | sed -n "s/^$2 *//p" | head -n 1 | tr -cd '\40-\176' | cut -c 1-500; }
the_problem() {
  echo "$URL says $HTTP $(field answer TYPE=): $(field answer DETAIL=)$(head -n 1 "$TMP/curl")"
}

facts() {
  printf '{"agent":"%s","os":"%s","docker":"%s","zerotier":"%s"}' $VERSION "${OS% *}" \
    "$(dockerd --version 2>/dev/null | sed 's/^Docker version //; s/,.*//' | tr -cd 'A-Za-z0-9.+~-')" "$(zerotier-cli -v 2>/dev/null | tr -cd 0-9.)"
}

ask_enrolment() { # OFFSET of the clock, in seconds
  now=$(($(date +%s) + $1))
  machine=$(tr -d '\n' <"$R/etc/machine-id" | sha256sum | cut -c 1-64)
  identity=$(tr -cd 0-9a-f: <"$ZT/identity.public")
  node=${identity%%:*}
  printf '%s\n' meshboot-enroll-v1 "$HOST" "$node" "$as" "$machine" $now >"$TMP/proof"
  signature=$(zerotier-idtool sign "$ZT/identity.secret" "$TMP/proof" | tr -cd 0-9a-f)
  prefixes=$(host_networks | awk -v own="$SUBNET4" "$AWK_IP"'
    $2 !~ /^zt/ && !($2 ~ /^br-/ && inside($1, own)) && !seen[$1]++ && n++ < 99 { printf "%s\"%s\"", (n > 1 ? "," : ""), $1 }')
  printf '{"identity":"%s","name":"%s","machineId":"%s","timestamp":%s,"signature":"%s","localPrefixes":[%s],"facts":%s}' \
    "$identity" "$as" "$machine" $now "$signature" "$prefixes" "$(facts)" >"$TMP/body"
  call POST /v1/enroll "$ETC/key" "$TMP/body"
}

enrol() {
  STEP=enrol
  if [ ! -s "$ETC/key" ]; then
    has_lease || refuse 'no key in /etc/meshboot/key: make one at the Worker (POST /v1/keys)'
    return
  fi
  as=${NAME:-$(uname -n | sed 's/\..*//' | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9\n' - | cut -c 1-63 | sed 's/^-//; s/-$//')}
  say "asks $URL for a lease as $as"
  if dry; then
    has_lease && return 0
    say 'the rest is as the lease says'
    exit 0
  fi
  ask_enrolment 0
  case $HTTP$(field answer TYPE=) in
  422*/clock-skew)
    offset=$(($(date -d "$(field headers '[Dd]ate:')" +%s) - $(date +%s)))
    say "this clock is $offset s off: signs with the Worker's time"
    ask_enrolment $offset
    ;;
  esac
  # A saved lease carries on when the Worker cannot be asked, or does not want to.
  case $HTTP in
  200)
    save_lease
    return
    ;;
  202) verdict=fail why="$node ($as) waits for approval at the Worker" ;;
  000 | 429 | 5*)
    field headers '[Rr]etry-[Aa]fter:' | tr -cd 0-9 | sed 's/^0*//' | cut -c 1-4 >"$RUN/after"
    verdict=fail why=$(the_problem)
    ;;
  *) verdict=refuse why="$(the_problem). Mend that or put a new key into /etc/meshboot/key" ;;
  esac
  has_lease || $verdict "$why"
  warn "$why. The saved lease stays"
}

# First the lease, then the token, last the key away: a kill in between only enrols again, for the same lease.
save_lease() {
  use_lease "$TMP/answer" || fail 'the lease is not sound'
  [ "$NODE.${L_TOKEN:+token}" = "$node.token" ] || fail "the lease is for $NODE, or has no token"
  mkdir -p "$STATE"
  chmod 700 "$STATE"
  store_lease
  echo "$L_TOKEN" | put_file /var/lib/meshboot/token 600
  rm -f "$ETC/key"
  say "slot $L_SLOT: $L_ZEROTIER_IPV4, $SUBNET4, $SUBNET6"
}
store_lease() { grep -E '^[A-Z0-9_]+=' "$TMP/answer" | grep -v '^TOKEN=' | put_file /var/lib/meshboot/lease 600; }

# --- ZeroTier's settings and membership ---

# Off docker's bridges, and no ZeroTier packets through the mesh. zerotier-one reads a changed local.conf within 10 s.
configure_zerotier() {
  STEP=local.conf
  conf="{\"settings\":{\"interfacePrefixBlacklist\":[\"docker\",\"br-\",\"veth\"]},\"physical\":{$(echo "$MESH" | sed 's/[^,]*/"&":{"blacklist":true}/g')}}"
  mine=$(read_file "$ZT/local.conf")
  if [ "${mine:-$conf}" != "$conf" ]; then
    conf=$(python3 - "$mine" "$conf" <<'EOF'
import json, sys
conf, ours = map(json.loads, sys.argv[1:])
key = "interfacePrefixBlacklist"
ours["settings"][key] = sorted({*ours["settings"][key], *conf.get("settings", {}).get(key, [])})
for key in ours: conf[key] = {**conf.get(key, {}), **ours[key]}
print(json.dumps(conf))
EOF
    ) || warn 'cannot merge local.conf: add docker, br-, veth to its interfacePrefixBlacklist'
  fi
  [ -z "$conf" ] || echo "$conf" | put_file /var/lib/zerotier-one/local.conf 644
  # A restart makes the mesh's interface anew, without our routes.
  put_file $UNITS/zerotier-one.service.d/50-meshboot.conf 644 <<'EOF'
[Service]
ExecStartPost=-+/bin/sh -c 'mkdir -p /run/meshboot; : >/run/meshboot/again; systemctl start --no-block meshboot.service'
EOF
  reload_unit zerotier-one
}

# ZT_STATUS (empty: not joined) and ZT_DEV. Counted from the end: a network's name may hold blanks.
look_at_network() {
  ZT_STATUS='' ZT_DEV=''
  IFS=' ' read -r ZT_STATUS ZT_DEV <<EOF || :
$(zerotier-cli listnetworks 2>/dev/null | awk -v n="$L_NETWORK" '$3 == n { print $(NF - 3), $(NF - 1) }')
EOF
  case $ZT_DEV in *[!a-zA-Z0-9]* | ????????????????*) ZT_DEV='' ;; esac
}

# What the network may set on this host: addresses and routes of the mesh's ranges, nothing else.
limit_network() { echo "allowManaged=$MESH" | put_file "$limits" 644; }

join_network() {
  STEP=join tries=0 limits=/var/lib/zerotier-one/networks.d/$L_NETWORK.local.conf
  if [ ! -e "$ZT/networks.d/$L_NETWORK.conf" ]; then
    limit_network
    run zerotier-cli join "$L_NETWORK" >/dev/null
    # The join has written its defaults over it; what was read before stays in force.
    limit_network
  elif ! grep -qsxF "allowManaged=$MESH" "$R$limits"; then
    limit_network
    say 'restarts zerotier-one: it reads that only then'
    run systemctl restart zerotier-one.service
    run rm -f "$RUN/again"
  fi
  while look_at_network; do
    case $ZT_STATUS in
    OK | REQUESTING_CONFIGURATION)
      if [ -n "$ZT_DEV" ] && ip -o -4 addr show dev "$ZT_DEV" 2>/dev/null | grep -qF " $L_ZEROTIER_IPV4 "; then break; fi
      ;;
    esac
    dry && return 0
    tries=$((tries + 1))
    [ $tries -lt 90 ] || fail "no $L_ZEROTIER_IPV4 from network $L_NETWORK, status ${ZT_STATUS:-none}: is $NODE authorized, /dev/net/tun there, UDP 9993 open?"
    sleep 1
  done
  DEV=$ZT_DEV
  echo "$DEV" | put_file /var/lib/meshboot/interface 600
}

# --- the kernel ---

# accept_ra=2 first: with 1, forwarding makes the kernel drop the default route that it has from router advertisements.
# With 0 something else (networkd) minds them.
sysctl_lines() {
  {
    ip -6 route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\) .*proto ra.*/\1/p'
    read_file "$R$SYSCTL" | sed -n 's|^net/ipv6/conf/\(.*\)/accept_ra=2$|\1|p'
  } | sort -u | while read -r dev; do
    case $(read_file "$R/proc/sys/net/ipv6/conf/$dev/accept_ra") in 1 | 2) echo "net/ipv6/conf/$dev/accept_ra=2" ;; esac
  done
  printf 'net/%s=1\n' ipv4/ip_forward ipv6/conf/default/forwarding ipv6/conf/all/forwarding ipv6/conf/default/proxy_ndp ipv6/conf/all/proxy_ndp
}

apply_sysctls() {
  STEP=sysctls
  lines=$(sysctl_lines)
  echo "$lines" | put_file $SYSCTL 644
  echo "$lines" | while IFS='=' read -r key value; do
    have=$(read_file "$R/proc/sys/$key")
    [ "${have:-$value}" != "$value" ] || continue
    say "$key: $have, now $value"
    dry && continue
    grep -qs "^$key=" "$STATE/sysctls" || echo "$key=$have" >>"$STATE/sysctls"
    set_sysctl "$key" "$value"
  done
}
set_sysctl() { (echo "$2" >"$R/proc/sys/$1") 2>/dev/null || warn "$1 cannot be set"; }

# pre: the mesh, and nothing else, may speak to a container's own address. out: a packet to an address of the lease that no
# container has must not leave by the default route (an unreachable route would do that too, but dockerd 20.10 takes no subnet
# that any route covers); with IPV6NAT=off nothing hides a ULA, so it must not leave either. post: a null SNAT one step before
# Docker's chain keeps the true source on the mesh (the first mapping wins; a RETURN there is lost when dockerd restarts).
rules_text() {
  cat <<EOF
table inet meshboot {
chain pre {
type filter hook prerouting priority -301; policy accept;
iifname { "lo", "$DEV", "docker0" } accept
iifname "br-*" accept
ip daddr $SUBNET4 drop
ip6 daddr $NET6::2-$NET6:ffff:ffff:ffff drop
}
chain out {
type filter hook forward priority 0; policy accept;
ip daddr $SUBNET4 rt ip nexthop != $SUBNET4 reject
ip6 daddr $SUBNET6 rt ip6 nexthop != $SUBNET6 reject
oifname "$DEV" ip6 daddr $SUBNET6 reject
$ula}
chain post {
type nat hook postrouting priority 99; policy accept;
oifname "$DEV" ip saddr $SUBNET4 snat ip to ip saddr
oifname "$DEV" ip6 saddr $SUBNET6 snat ip6 to ip6 saddr
}
}
EOF
}

# Docker >= 28 drops in raw and wants DOCKER-USER, 20.10 has no DOCKER-USER for IPv6: an ACCEPT in each place serves all.
mesh_accepts() { # -C|-I|-D DEVICE SUBNET4 SUBNET6: 1 when one of them fails
  rc=0
  for place in raw:PREROUTING filter:DOCKER-USER filter:FORWARD; do
    iptables -w -t "${place%:*}" "$1" "${place#*:}" -i "$2" -d "$3" -j ACCEPT 2>/dev/null || rc=1
    ip6tables -w -t "${place%:*}" "$1" "${place#*:}" -i "$2" -d "$4" -j ACCEPT 2>/dev/null || rc=1
  done
  return $rc
}
# What is loaded must be what was loaded, and that the rules of this lease.
rules_print() { printf '%s\n' "$rules" "$(nft -s list table inet meshboot 2>/dev/null)"; }

load_rules() {
  STEP=rules
  [ -n "$DEV" ] || dry || fail 'no interface yet: meshboot up'
  ula=''
  [ "$IPV6NAT" != off ] || ula="ip6 saddr $SUBNET6 oifname != { \"$DEV\", \"docker0\" } oifname != \"br-*\" drop
"
  rules=$(rules_text) mine="$DEV $SUBNET4 $SUBNET6"
  if ! dry; then
    # What `down` has to leave as it was.
    if [ ! -e "$STATE/tables" ]; then
      { ip6tables -w -S 2>/dev/null || :; } | grep -E '^-P FORWARD|DOCKER' | sort | head -n 1 >"$STATE/forward6"
      nft list tables >"$TMP/tables"
      mv "$TMP/tables" "$STATE/tables"
    fi
    [ "$(read_file "$STATE/rules")" = "$mine" ] || unload_rules
  fi
  echo "$mine" | put_file /var/lib/meshboot/rules 600
  if [ "$(rules_print)" != "$(read_file "$RUN/nft")" ]; then
    say 'loads nft table inet meshboot'
    if ! dry; then
      printf '%s\n' 'table inet meshboot' 'delete table inet meshboot' "$rules" | nft -f - || fail 'nft does not take the rules'
      rules_print >"$RUN/nft"
    fi
  fi
  if ! mesh_accepts -C "$DEV" "$SUBNET4" "$SUBNET6"; then
    say 'adds accepts for the mesh to iptables and ip6tables'
    dry && return 0
    # Docker keeps a chain that is already there.
    for tool in iptables ip6tables; do $tool -w -N DOCKER-USER 2>/dev/null || :; done
    mesh_accepts -D "$DEV" "$SUBNET4" "$SUBNET6" || :
    mesh_accepts -I "$DEV" "$SUBNET4" "$SUBNET6" || fail 'iptables does not take the rules'
  fi
}

unload_rules() {
  [ -s "$STATE/rules" ] || return 0
  # shellcheck disable=SC2046 # device and subnets, three words
  mesh_accepts -D $(cat "$STATE/rules") || :
  nft delete table inet meshboot 2>/dev/null || :
  rm -f "$RUN/nft"
  for tool in iptables ip6tables; do
    [ "$($tool -w -S DOCKER-USER 2>/dev/null)" != '-N DOCKER-USER' ] || $tool -w -X DOCKER-USER 2>/dev/null || :
  done
}

# What dockerd and iptables leave behind: IPv6 rules of a Docker that had none before us, and empty tables that were not there.
sweep_firewall() {
  [ -e "$STATE/tables" ] || return 0
  before=$(read_file "$STATE/forward6")
  case $before in
  '-P FORWARD '*)
    ip6tables-save | awk -v policy="${before##* }" '/DOCKER|docker0|[io] br-/ { next } /^:FORWARD / { $2 = policy } { print }' | ip6tables-restore || :
    ;;
  esac
  # shellcheck disable=SC2086 # family and table, two words
  for name in 'ip raw' 'ip nat' 'ip filter' 'ip6 raw' 'ip6 nat' 'ip6 filter'; do
    grep -qsxF "table $name" "$STATE/tables" || nft list table $name 2>/dev/null | grep -qvE '^#|^table |policy accept;$|^[[:space:]]*(chain .*|\})?$' ||
      nft delete table $name 2>/dev/null || :
  done
}

# `ip route show` of the interface on stdin: the batch that leads from there to one route a slot; with UNDO to none.
routes_batch() {
  pool_awk '{ via = m = ""; for (i = 2; i < NF; i++) if ($i == "via") via = $(i + 1); else if ($i == "metric") m = $(i + 1) }
    m == 5100 { have[$1] = via }
    END {
      tail = " dev " dev " proto static metric 5100"
      for (i = 1; i <= top && !undo; i++) if (i != n) {
        t = txt(first(d) + i * s) "/" p; v = txt(first(z) + i); want[t]
        if (have[t] != v) print "route replace " t " via " v tail
      }
      for (t in have) if (!(t in want)) print "route del " t tail
    }'
}
our_routes() { ip -4 route show dev "$DEV" proto static 2>/dev/null || :; }

apply_routes() {
  STEP=routes
  batch=$(our_routes | routes_batch)
  if [ -n "$batch" ]; then
    say "changes $(echo "$batch" | wc -l) routes on $DEV"
    dry || echo "$batch" | ip -4 -batch - || fail 'ip does not take the routes'
  fi
}

# --- dockerd ---

# docker.service's files as arguments, in systemd's order: `file command` of the ExecStart that wins.
exec_start() {
  awk '
    FNR == 1 { section = ""; more = 0 }
    more && /^[ \t]*[#;]/ { next }
    { line = more ? line " " $0 : $0; more = sub(/[ \t]*\\$/, "", line) }
    more { next }
    line ~ /^[ \t]*\[/ { section = line }
    section ~ /\[Service\]/ && line ~ /^[ \t]*ExecStart[ \t]*=/ { sub(/^[^=]*=/, "", line); $0 = line; $1 = $1; command = $0; file = FILENAME }
    END { print file, command }' "$@"
}

# Two /16 outside the mesh and the host's networks, for when the lease's upper half is full. Chosen once: a change restarts dockerd.
outer_pools() {
  host_networks | pool_awk '$2 !~ /^br-/ { used[u++] = $1 }
    END {
      used[u++] = z; used[u++] = d
      for (i = 17; i < 50 && k < 2; i++) {
        t = (i < 32 ? "172." i : i == 32 ? "192.168" : "10." (i + 170)) ".0.0/16"
        for (j = 0; j < u && !overlap(t, used[j]); j++);
        if (j == u) { print t; k++ }
      }
    }'
}

docker_options() {
  echo "--bip=$BIP --fixed-cidr=$LOWER --ipv6 --fixed-cidr-v6=$NET6::/81 --default-address-pool=base=$UPPER --default-address-pool=base=$NET6:8000::/81,size=96"
  read_file "$STATE/pools" | sed 's/.*/--default-address-pool=base=&,size=24/'
  nat_options
}

install_docker() {
  [ "$DOCKER" != present ] || return 0
  packages='' compose=docker-compose
  if ! has dockerd; then
    packages=docker.io
    case $OS in 'debian 13'*) packages='docker.io docker-cli' ;; esac
    if [ "$DOCKER" = official ]; then
      at=https://download.docker.com/linux/$ID
      add_repository docker "$at/gpg" 9DC858229FC7DD38854AE2D88D81803C0EBFCD88 "$at $CODENAME stable"
      packages='docker-ce docker-ce-cli containerd.io'
    fi
    packages="$packages apparmor"
    # Masked while it is installed, so that its first start already has our options.
    run touch "$RUN/masked"
    run systemctl -q mask --runtime docker.service docker.socket
  fi
  if [ "$COMPOSE" = on ] && ! has docker-compose && ! docker compose version >/dev/null 2>&1; then
    case $DOCKER$ID in official*) compose=docker-compose-plugin ;; *ubuntu) compose=docker-compose-v2 ;; esac
    packages="$packages $compose"
  fi
  # shellcheck disable=SC2086 # package names, one word each
  [ -z "$packages" ] || install $packages
}

write_docker_files() {
  # shellcheck disable=SC2046 # paths of units hold no blanks
  start=$(exec_start $(echo "$(unit_value docker FragmentPath) $(unit_value docker DropInPaths)" | tr ' ' '\n' | grep -v -e '-meshboot.conf$' -e '^$' | sed "s|^|$R|") </dev/null)
  from=${start%% *} start=${start#* }
  [ -n "$start" ] || fail 'docker.service has no ExecStart'
  # systemd reads drop-ins by name. Behind one of the user's own that would win over 50-meshboot.conf, ours is called zz.
  name=50-meshboot.conf other=zz-50-meshboot.conf from=${from##*/}
  if [ "$from" != docker.service ] && [ "$(printf '%s\n' "$from" $name | sort | head -n 1)" = $name ]; then
    name=$other other=50-meshboot.conf
  fi
  [ -s "$STATE/pools" ] || outer_pools | put_file /var/lib/meshboot/pools 600
  options=$(docker_options | tr '\n' ' ')
  options=${options% }
  echo "MESHBOOT_OPTIONS=\"$options\"" | put_file /etc/meshboot/dockerd.env 644
  put_file $UNITS/docker.service.d/$name 644 <<EOF
[Service]
EnvironmentFile=-/etc/meshboot/dockerd.env
ExecStartPre=-/usr/local/sbin/meshboot rules
ExecStart=
ExecStart=$start \$MESHBOOT_OPTIONS
EOF
  dry || rm -f "$R$UNITS/docker.service.d/$other"
}

our_options() { read_file "$ETC/dockerd.env" | sed -n 's/^MESHBOOT_OPTIONS="\(.*\)"$/\1/p'; }
docker_has_options() {
  case $(read_file "$R/proc/$(unit_value docker MainPID)/cmdline" | tr '\0' ' ') in *" ${options:-none} "*) ;; *) return 1 ;; esac
}

configure_docker() {
  STEP=dockerd
  install_docker
  [ ! -e "$RUN/masked" ] || run systemctl -q unmask --runtime docker.service docker.socket
  if ! has dockerd; then
    say 'no dockerd yet'
    return 0
  fi
  check_daemon_json
  reload_unit docker
  write_docker_files
  reload_unit docker
  if is_running docker; then
    docker_has_options && return 0
    say "restarts dockerd, $(docker ps -q 2>/dev/null | wc -l) containers running"
  fi
  [ -s "$STATE/docker0" ] || ip -o -4 addr show docker0 2>/dev/null | awk '{ a = $4 } END { print a ? a : "172.17.0.1/16" }' | put_file /var/lib/meshboot/docker0 600
  say "starts dockerd with $options"
  run start_docker || fail "dockerd does not start: $(journalctl -u docker.service -n 30 --no-pager -o cat 2>/dev/null | grep -iE 'fail|error|unable' | tail -n 1)"
  run rm -f "$RUN/masked"
}

# dockerd makes docker0 anew at each start, as its own store has it, unless it is told an address: so one start with the
# address of before us, which it then remembers. With live-restore containers hang on docker0, and it stays as it is.
stop_docker() {
  options=$(our_options)
  restart=$(true_or_false docker_has_options)
  if $restart; then
    say "restarts dockerd without the mesh's options, in two steps"
    echo "MESHBOOT_OPTIONS=\"--bip=$(read_file "$STATE/docker0")\"" | put_file /etc/meshboot/dockerd.env 644
    start_docker || :
    systemctl stop docker.socket docker.service || :
    [ -n "$(ls "$R/sys/class/net/docker0/brif" 2>/dev/null)" ] || ip link del docker0 2>/dev/null || :
  fi
  drop_files docker
  systemctl daemon-reload
}
# Debian's unit allows three starts a minute: those of ours do not count.
start_docker() {
  systemctl reset-failed docker.service 2>/dev/null || :
  systemctl restart docker.service
}

# --- report ---

heartbeat() { # ok|failed [STEP]
  [ -s "$STATE/token" ] || return 0
  lines=''
  if [ -n "${2:-}" ]; then lines=",\"step\":\"$2\",\"log\":\"$(tail -c 3500 "$RUN/log" | tr -cd '\n\40-\176' | sed 's/[\\"]/\\&/g' | awk '{ printf "%s\\n", $0 }')\""; fi
  printf %s "{\"state\":\"$1\"$lines,\"facts\":$(facts)}" >"$TMP/body"
  call POST "/v1/nodes/$NODE/heartbeat" "$STATE/token" "$TMP/body"
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $HTTP" >"$RUN/reported"
}

# A Worker that does not answer is no failure: what runs keeps running. Its answer is the lease as it is now.
report() {
  STEP=report
  say "reports to $URL"
  dry && return 0
  heartbeat ok
  case $HTTP in
  200)
    mine="$NODE $MESH $L_ZEROTIER_IPV4"
    if use_lease "$TMP/answer" && [ "$NODE" = "${mine%% *}" ]; then
      store_lease
      if [ "$mine" != "$NODE $MESH $L_ZEROTIER_IPV4" ]; then
        : >"$RUN/again"
        warn 'the lease has changed: meshboot up applies it'
      fi
    fi
    ;;
  4*) warn "$(the_problem). Mend that or put a new key into /etc/meshboot/key" ;;
  *) warn "$(the_problem). Reports again within the hour" ;;
  esac
}

# --- the verbs ---

set_up() {
  TMP=$(mktemp -d)
  trap leave EXIT
  trap 'exit 143' TERM INT
  dry || mkdir -p "$RUN"
}
leave() {
  rc=$?
  trap - EXIT
  set +e
  if [ $rc != 0 ] && [ "$LOG" != /dev/null ]; then
    echo "$STEP" >"$RUN/failed"
    if [ -n "$NODE" ]; then (heartbeat failed "$STEP") >/dev/null 2>&1; fi
  fi
  rm -rf "$TMP"
  exit $rc
}
lock() {
  exec 9>"$RUN/lock"
  flock -n 9 || { say 'waits for another meshboot to finish' && flock 9; }
}

up() {
  set_up
  if ! dry; then
    lock
    LOG=$RUN/log
    : >"$LOG"
  fi
  STEP=settings
  read_settings
  if has_lease; then saved_lease; fi
  check_system
  install_tools
  if has_lease; then check_overlap; fi
  install_zerotier
  enrol
  check_overlap
  configure_zerotier
  join_network
  apply_sysctls
  load_rules
  apply_routes
  configure_docker
  report
  STEP=up
  dry || rm -f "$RUN/failed"
  say "$NODE: $L_ZEROTIER_IPV4, $SUBNET4, $SUBNET6"
}

# Sleeps that many seconds, and up to as many again: servers ordered together shall not come back together.
sleep_about() {
  left=$(($1 + $(od -An -N2 -tu2 /dev/urandom) % ($1 + 1)))
  while [ $left -gt 0 ] && [ ! -e "$RUN/again" ]; do
    sleep 5
    left=$((left - 5))
  done
}

# For the service. Each attempt is a process of its own; $RUN/again asks for one more (zerotier-one has restarted).
retry_up() {
  mkdir -p "$RUN"
  delay=5
  while rm -f "$RUN/again" "$RUN/after"; do
    rc=0
    "$0" up || rc=$?
    case $rc in
    0) [ -e "$RUN/again" ] || exit 0 ;;
    3) sleep_about 1800 ;;
    *)
      after=$(read_file "$RUN/after")
      sleep_about "${after:-$delay}"
      delay=$((delay < 150 ? delay * 2 : 300))
      ;;
    esac
  done
}

down() { # [release]
  set_up
  systemctl disable --now meshboot.timer meshboot.service 2>/dev/null || :
  lock
  STEP=down
  if has_lease; then
    saved_lease
    if [ -n "$1" ]; then
      read_settings
      call DELETE "/v1/nodes/$NODE" "$STATE/token" /dev/null
      case $HTTP in 2*) say 'gives the lease back' ;; *) fail "$(the_problem). Without --release all is undone and the lease kept" ;; esac
    fi
    UNDO=yes
    our_routes | routes_batch | ip -4 -force -batch - >/dev/null 2>&1 || :
  fi
  stop_docker
  # With dockerd stopped: it sets some of them itself, also for a network that it remembers.
  read_file "$STATE/sysctls" | sed '1!G;h;$!d' | while IFS='=' read -r key value; do set_sysctl "$key" "$value"; done
  unload_rules
  sweep_firewall
  ! $restart || start_docker || warn 'dockerd does not start: see journalctl -u docker'
  if [ -n "$NODE" ]; then
    say "leaves network $L_NETWORK"
    zerotier-cli leave "$L_NETWORK" >/dev/null || :
  fi
  drop_files .
  systemctl daemon-reload
  rm -rf "$STATE" "$RUN"
  LOG=/dev/null
  say 'undone, but for packages'
}

status() { # [json]
  saved_lease
  look_at_network
  options=$(our_options)
  lines=$(cat <<EOF
"node":"$NODE",
"name":"$L_NAME",
"slot":$L_SLOT,
"state":"$L_STATE",
"zerotier":"${ZT_STATUS:-NOT_JOINED}",
"interface":"$DEV",
"zerotierIpv4":"$L_ZEROTIER_IPV4",
"dockerIpv4":"$SUBNET4",
"dockerIpv6":"$SUBNET6",
"docker":"$(systemctl is-active docker.service 2>/dev/null || :)",
"dockerOptions":"$options",
"dockerOptionsInForce":$(true_or_false docker_has_options),
"routes":$(our_routes | grep -c 'metric 5100' || :),
"routesExpected":$((SLOTS - 1)),
"rules":$(true_or_false mesh_accepts -C "$DEV" "$SUBNET4" "$SUBNET6"),
"failedStep":"$(read_file "$RUN/failed")",
"lastReport":"$(read_file "$RUN/reported")",
"agent":"$VERSION"
EOF
  )
  if [ -n "$1" ]; then echo "{$lines}"; else echo "$lines" | sed 's/,$//; s/"//g; s/:/ /'; fi
}

beat() {
  set_up
  read_settings
  saved_lease
  check_system
  STEP=heartbeat
  if [ -s "$RUN/failed" ]; then heartbeat failed "$(cat "$RUN/failed")"; else heartbeat ok; fi
  [ "$HTTP" = 200 ] || fail "$(the_problem)"
}

rules() {
  set_up
  read_settings
  saved_lease
  load_rules
}

main() {
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  export PATH LC_ALL=C
  umask 022
  case "$*" in
  up) up ;;
  'up --dry-run') DRY='dry run: ' && up ;;
  'up --retry') retry_up ;;
  status) status '' ;;
  'status --json') status json ;;
  down) down '' ;;
  'down --release') down release ;;
  heartbeat) beat ;;
  rules) rules ;;
  --version) echo "meshboot $VERSION" ;;
  *)
    echo 'usage: meshboot up [--dry-run] | status [--json] | down [--release] | heartbeat | rules | --version
exit codes: 0 done, 1 failed, try again, 2 usage, 3 refused'
    [ "$*" = --help ] || exit 2
    ;;
  esac
}

[ -n "${MESHBOOT_SOURCE:-}" ] || main "$@"
