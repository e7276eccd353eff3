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
# This file travels inside user-data: cloud-init/agent/shipped.ts takes its comment lines and indentation away. So a here-document
# must not need either.
set -euf

VERSION=0.1.0
R=${MESHBOOT_ROOT:-}
ETC=$R/etc/meshboot
STATE=$R/var/lib/meshboot
RUN=$R/run/meshboot
ZT=$R/var/lib/zerotier-one
UNITS=$R/etc/systemd/system
SYSCTL=$R/etc/sysctl.d/90-meshboot.conf
METRIC=5100
DRY='' LOG='' TMP='' STEP=meshboot RED='' PLAIN='' DEV='' NODE='' HTTP=000 FRESH='' UNDO=''

# --- saying, failing, running ---

note() {
  if [ -n "$LOG" ]; then printf '%s: %s\n' "$STEP" "$1" >>"$LOG"; fi
}
say() {
  printf 'meshboot: %s: %s\n' "$STEP" "$1"
  note "$1"
}
warn() {
  printf '%smeshboot: %s: %s%s\n' "$RED" "$STEP" "$1" "$PLAIN" >&2
  note "$1"
}
fail() {
  warn "failed: $1"
  exit 1
}
refuse() {
  warn "refused: $1"
  exit 3
}
dry() { [ -n "$DRY" ]; }
run() {
  if dry; then say "would run: $*"; else "$@"; fi
}
has() { command -v "$1" >/dev/null 2>&1; }
leased() { [ -s "$STATE/lease" ]; }

# Sleeps that many seconds, and up to as many again: servers ordered together shall not come back together.
pause() {
  left=$(($1 + $(od -An -N2 -tu2 /dev/urandom) % $1))
  while [ "$left" -gt 0 ] && [ ! -e "$RUN/again" ]; do
    sleep 5
    left=$((left - 5))
  done
}

# --- files: whole or not at all, only when they change; the first writing keeps what was there for `down` ---

listed() { grep -qsxF "$1" "$STATE/files"; }
kept() { echo "$STATE/kept/$(echo "$1" | tr / %)"; }

put_file() { # PATH MODE, content on stdin
  text=$(cat && echo .)
  text=${text%.}
  if [ -f "$1" ] && printf %s "$text" | cmp -s - "$1"; then return 0; fi
  path=${1#"$R"}
  if dry; then
    say "would write $path"
    return 0
  fi
  say "writes $path"
  mkdir -p "${1%/*}" "$STATE/kept"
  case $1 in
  "$STATE"/*) ;;
  *)
    if ! listed "$path"; then
      if [ -e "$1" ]; then cp -p "$1" "$(kept "$path")"; fi
      echo "$path" >>"$STATE/files"
    fi
    ;;
  esac
  (umask 077 && printf %s "$text" >"$1.meshboot-tmp")
  chmod "$2" "$1.meshboot-tmp"
  mv -f "$1.meshboot-tmp" "$1"
}

drop_file() { # PATH without the root: what it was before us
  listed "$1" || return 0
  rm -f "$R$1" "$R$1.meshboot-tmp"
  if [ -e "$(kept "$1")" ]; then mv -f "$(kept "$1")" "$R$1"; fi
  grep -vxF "$1" "$STATE/files" >"$STATE/files.new" || :
  mv -f "$STATE/files.new" "$STATE/files"
  case $1 in *.d/50-meshboot.conf) rmdir "$R${1%/*}" 2>/dev/null || : ;; esac
}

# --- reading what others wrote ---

# IPv4 in awk. No {n} in patterns: mawk 1.3.4, as in Debian 12, does not know them.
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

# A lease (KEY=value lines) into variables: six values are taken, the rest follows from them. 1 and REASON when it is not sound.
use_lease() { # FILE
  NETWORK='' NODE='' NAME_LEASED='' SLOT='' LEASE_STATE='' POOL_ZEROTIER='' POOL_DOCKER='' NODE_PREFIX='' TOKEN='' ZEROTIER4='' SUBNET4=''
  while IFS='=' read -r key value; do
    REASON="$key is not what it should be"
    case $value in *[!A-Za-z0-9:./_+-]* | '') return 1 ;; esac
    [ "${#value}" -le 80 ] || return 1
    case $key in
    NETWORK) NETWORK=$value ;;
    NODE) NODE=$value ;;
    NAME) NAME_LEASED=$value ;;
    SLOT) SLOT=$value ;;
    STATE) LEASE_STATE=$value ;;
    ZEROTIER_IPV4) ZEROTIER4=$value ;;
    DOCKER_IPV4_SUBNET) SUBNET4=$value ;;
    POOL_ZEROTIER) POOL_ZEROTIER=$value ;;
    POOL_DOCKER) POOL_DOCKER=$value ;;
    POOL_NODE_PREFIX) NODE_PREFIX=$value ;;
    TOKEN) TOKEN=$value ;;
    esac
  done <"$1"
  REASON='NETWORK or NODE is missing or not hexadecimal'
  case $NETWORK$NODE in *[!0-9a-f]*) return 1 ;; esac
  [ "${#NETWORK}-${#NODE}" = 16-10 ] || return 1
  REASON='SLOT, the pools and the addresses do not fit together'
  derived=$(awk -v z="$POOL_ZEROTIER" -v d="$POOL_DOCKER" -v p="$NODE_PREFIX" -v n="$SLOT" -v at="$ZEROTIER4" -v own="$SUBNET4" "$AWK_IP"'BEGIN {
    if (n !~ /^[1-9][0-9]*$/ || p !~ /^[1-9][0-9]?$/ || p > 28 || p <= len(d) || z != net(z) || d != net(d) || len(z) < 8 || len(d) < 8 || overlap(z, d)) exit 1
    s = two(32 - p); top = int(size(z) / 16) * 15 - 1; if (top >= size(d) / s) top = size(d) / s - 1
    a = first(d) + n * s; h = "/" (p + 1)
    if (n + 0 > top || at != txt(first(z) + n) "/" len(z) || own != txt(a) "/" p) exit 1
    print top, txt(a + 1) h, txt(a) h, txt(a + s / 2) h ",size=" (p < 28 ? 28 : 29) }') || return 1
  IFS=' ' read -r SLOTS BIP LOWER UPPER <<EOF
$derived
EOF
  six=$(printf 'fc%08x%s' $((0x${NETWORK%????????} ^ 0x${NETWORK#????????})) "$NODE")
  NET6=$(echo "$six" | sed 's/..../&:/g; s/:$//; s/:00*\([0-9a-f]\)/:\1/g')
  SUBNET6=$NET6::/80
  MESH6=$(echo "$six" | sed 's/^\(....\)\(....\)\(..\).*/\1:\2:\300::\/40/')
  MESH=$POOL_ZEROTIER,$POOL_DOCKER,$MESH6
  if [ -s "$STATE/interface" ]; then DEV=$(cat "$STATE/interface"); fi
}
saved_lease() { use_lease "$STATE/lease" || fail "/var/lib/meshboot/lease: $REASON"; }

read_settings() {
  URL='' NAME='' DOCKER=distro IPV6NAT=auto USERLAND_PROXY=on COMPOSE=off ALLOW_OVERLAP=off
  ZEROTIER_REPOSITORY=https://download.zerotier.com
  ZEROTIER_FINGERPRINT=74A5E9C458E1A431F1DA57A71657198823E52A61
  [ -r "$ETC/meshboot.conf" ] || refuse "/etc/meshboot/meshboot.conf is missing: it holds at least URL=https://..."
  while IFS='=' read -r key value; do
    case $key=$value in
    URL=http://* | URL=https://* | ZEROTIER_REPOSITORY=http://* | ZEROTIER_REPOSITORY=https://*)
      case ${value#*://} in '' | /* | *[!a-zA-Z0-9.:/_~-]*) bad_setting ;; esac
      case $key in URL) URL=${value%/} ;; *) ZEROTIER_REPOSITORY=${value%/} ;; esac
      ;;
    NAME=*[!a-z0-9-]* | NAME=-* | NAME=*- | NAME= | ZEROTIER_FINGERPRINT=*[!0-9A-F]*) bad_setting ;;
    NAME=*) NAME=$value ;;
    ZEROTIER_FINGERPRINT=*) ZEROTIER_FINGERPRINT=$value ;;
    DOCKER=present | DOCKER=distro | DOCKER=official) DOCKER=$value ;;
    IPV6NAT=auto | IPV6NAT=docker | IPV6NAT=off) IPV6NAT=$value ;;
    USERLAND_PROXY=on | USERLAND_PROXY=off) USERLAND_PROXY=$value ;;
    COMPOSE=on | COMPOSE=off) COMPOSE=$value ;;
    ALLOW_OVERLAP=on | ALLOW_OVERLAP=off) ALLOW_OVERLAP=$value ;;
    LAYOUT=split) ;;
    URL=* | ZEROTIER_REPOSITORY=* | DOCKER=* | IPV6NAT=* | USERLAND_PROXY=* | COMPOSE=* | ALLOW_OVERLAP=* | LAYOUT=*) bad_setting ;;
    esac
  done <"$ETC/meshboot.conf"
  [ -n "$URL" ] || refuse "/etc/meshboot/meshboot.conf: URL=https://... is missing"
  HOST=${URL#*://}
  HOST=${HOST%%/*}
  case $URL in https:*) HOST=${HOST%:443} ;; *) HOST=${HOST%:80} ;; esac
}
bad_setting() { refuse "/etc/meshboot/meshboot.conf: $key has a value that this version does not know: $value"; }

# IPv4 prefixes that the host uses, `prefix device`: not docker0, which gets its addresses from us, and not the mesh.
# Docker's networks by name while dockerd is not ours yet (a stopped bridge shows nowhere else).
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
  if [ ! -e "$ETC/dockerd.env" ] && has docker && running docker; then
    docker network ls -q --filter driver=bridge --filter driver=macvlan --filter driver=ipvlan 2>/dev/null | while read -r id; do
      docker network inspect -f '{{$n := .Name}}{{range .IPAM.Config}}{{println .Subnet $n}}{{end}}' "$id" </dev/null || :
    done | sed -n 's/^\([0-9.]*\/[0-9]*\) /\1 docker:/p' | grep -v ' docker:bridge$' || :
  fi
}

# Those of them (on stdin) that lie in the mesh's ranges, but for Docker networks inside the own lease.
overlapping() {
  awk -v z="$POOL_ZEROTIER" -v d="$POOL_DOCKER" -v own="$SUBNET4" "$AWK_IP"'
    $2 ~ /^(br-|docker:)/ && inside($1, own) { next }
    overlap($1, z) || overlap($1, d) { printf "%s%s (%s)", s, $1, $2; s = ", " }'
}

# --- systemd ---

running() { case $(systemctl is-active "$1.service" 2>/dev/null) in active | activating | reloading) ;; *) return 1 ;; esac }
unit_value() { systemctl show -p "$2" "$1.service" 2>/dev/null | sed "s/^$2=//"; }
reload_unit() {
  if [ "$(unit_value "$1" NeedDaemonReload)" = yes ]; then run systemctl daemon-reload; fi
}

# --- the steps of up, in their order ---

check_system() {
  STEP=preflight
  [ -n "$R" ] || [ "$(id -u)" = 0 ] || refuse 'needs root'
  [ -d "$R/run/systemd/system" ] || refuse 'needs systemd, which does not run this server'
  OS=$(awk -F= '{ gsub(/["'\'']/, "", $2); v[$1] = $2 } END { print v["ID"], v["VERSION_ID"], v["VERSION_CODENAME"] }' "$R/etc/os-release" 2>/dev/null | tr -cd 'a-z0-9. \n') || OS=''
  case $OS in
  'debian 12 '* | 'debian 13 '* | 'ubuntu 22.04 '* | 'ubuntu 24.04 '* | 'ubuntu 26.04 '*) ;;
  *) refuse "this system ($OS) is not supported: Debian 12 and 13 and Ubuntu 22.04, 24.04 and 26.04 are" ;;
  esac
  ID=${OS%% *} CODENAME=${OS##* }
  check_daemon_json
}

docker_major() { dockerd --version 2>/dev/null | sed -n 's/^Docker version \([0-9]*\)\..*/\1/p'; }

# Before 27, dockerd has to be asked for its IPv6 firewall and NAT, and both are "experimental".
nat_options() {
  major=$(docker_major)
  if [ "$IPV6NAT" = off ]; then
    if [ "${major:-0}" -ge 27 ]; then echo --ip6tables=false; fi
  elif [ "${major:-0}" -lt 27 ]; then echo --experimental --ip6tables; fi
  if [ "$USERLAND_PROXY" = off ]; then echo --userland-proxy=false; fi
}

# dockerd does not start when a directive is in this file and on its command line, not even with the same value.
check_daemon_json() {
  clash=''
  for key in bip fixed-cidr ipv6 fixed-cidr-v6 default-address-pools $(if has dockerd; then nat_options; fi); do
    key=${key#--}
    if grep -qs "\"${key%=*}\"[[:space:]]*:" "$R/etc/docker/daemon.json"; then clash="$clash ${key%=*}"; fi
  done
  [ -z "$clash" ] || refuse "/etc/docker/daemon.json sets$clash, which meshboot gives to dockerd itself, and dockerd does not start with both: remove it there"
}

check_overlap() {
  STEP=preflight
  found=$(host_networks | overlapping)
  [ -n "$found" ] && [ "$ALLOW_OVERLAP" = off ] || return 0
  refuse "$found overlaps the mesh ($POOL_ZEROTIER, $POOL_DOCKER), whose routes would cut it off: move or remove that network (docker network rm), choose other ranges at the Worker, or set ALLOW_OVERLAP=on in /etc/meshboot/meshboot.conf"
}

# curl may still be missing; then apt has to find the network.
wait_for_network() {
  STEP=network tries=0
  if dry || ! has curl; then return 0; fi
  until curl -s -o /dev/null --max-time 10 "$URL/healthz"; do
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || fail "$URL does not answer: check this server's network and DNS, the Worker, and URL in /etc/meshboot/meshboot.conf"
    sleep "$tries"
  done
}

# Waits for other package managers, and finishes what a kill left half done.
apt() {
  tries=0
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  until apt-get -qy -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold "$@" </dev/null >"$TMP/apt" 2>&1 9>&-; do
    tries=$((tries + 1))
    why="apt-get $1: $(tail -n 2 "$TMP/apt" | tr '\n' ' ')"
    [ "$tries" -lt 5 ] || fail "$why"
    say "$why: tries again"
    sleep $((tries * 5))
    dpkg --configure -a </dev/null >/dev/null 2>&1 9>&- || :
  done
}
apt_update() {
  if [ -z "$FRESH" ]; then apt update; fi
  FRESH=yes
}
install() { # PACKAGE...
  if dry; then
    say "would install $*"
    return 0
  fi
  say "installs $*"
  apt_update
  apt install --no-install-recommends "$@"
}

install_tools() {
  missing=''
  for tool in curl:curl nft:nftables iptables:iptables ip:iproute2 "$@"; do
    has "${tool%:*}" || missing="$missing ${tool#*:}"
  done
  [ -e "$R/etc/ssl/certs/ca-certificates.crt" ] || missing="$missing ca-certificates"
  # shellcheck disable=SC2086 # package names, one word each
  if [ -n "$missing" ]; then install $missing; fi
}

add_repository() { # NAME KEY-URL FINGERPRINT `URL SUITE COMPONENT`
  if dry; then
    say "would add the package repository $4, its key checked against $3"
    return 0
  fi
  curl -fsSL --retry 3 --max-time 60 -o "$TMP/key" "$2" || fail "no key of the package repository at $2"
  mkdir -p "$TMP/gpg"
  chmod 700 "$TMP/gpg"
  got=$(gpg --homedir "$TMP/gpg" --batch --show-keys --with-colons "$TMP/key" 2>/dev/null | awk -F: '$1 == "pub" { p = 1 } $1 == "fpr" && p { printf "%s ", $10; p = 0 }')
  [ "$got" = "$3 " ] || refuse "the key at $2 has the fingerprint ${got:-(none)}, not $3: nothing was installed from there"
  # In ASCII, as apt takes it from .asc files.
  gpg --homedir "$TMP/gpg" --batch --import "$TMP/key" 2>/dev/null
  gpg --homedir "$TMP/gpg" --batch --armor --export | put_file "$R/usr/share/keyrings/meshboot-$1.asc" 644
  echo "deb [signed-by=/usr/share/keyrings/meshboot-$1.asc] $4" | put_file "$R/etc/apt/sources.list.d/meshboot-$1.list" 644
  FRESH=''
}

install_zerotier() {
  STEP=zerotier tries=0
  if ! has zerotier-one; then
    install_tools gpg:gpg
    suite=$CODENAME at=$ZEROTIER_REPOSITORY
    # A release newer than ZeroTier's repository takes the newest suite that is there; its package works.
    if ! dry && ! curl -fsL -o /dev/null --max-time 30 "$at/debian/$suite/dists/$suite/InRelease"; then
      case $ID in debian) suite=bookworm ;; *) suite=noble ;; esac
    fi
    add_repository zerotier "$at/contact%40zerotier.com.gpg" "$ZEROTIER_FINGERPRINT" "$at/debian/$suite $suite main"
    install zerotier-one
  fi
  [ -e "$R/dev/net/tun" ] || run modprobe tun || warn 'there is no /dev/net/tun, which ZeroTier needs'
  running zerotier-one || run systemctl enable --now zerotier-one.service
  until dry || { [ -s "$ZT/identity.secret" ] && [ -s "$ZT/identity.public" ]; }; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || fail 'zerotier-one makes no identity: see journalctl -u zerotier-one'
    sleep 1
  done
}

# --- talking with the Worker ---

call() { # METHOD PATH SECRET-FILE BODY-FILE: sets HTTP; the answer is in $TMP
  secret=$(head -n 1 "$3")
  case ${secret#mb[kn]_} in "$secret" | '' | *[!A-Za-z0-9_-]*) refuse "${3#"$R"} holds no key (mbk_... or mbn_...)" ;; esac
  rm -f "$TMP/answer" "$TMP/headers"
  HTTP=$(echo "header = \"Authorization: Bearer $secret\"" | curl -K - -sS --connect-timeout 15 --max-time 60 --max-filesize 65536 \
    -X "$1" -H 'Accept: text/plain' -H 'Content-Type: application/json' --data-binary "@$4" \
    -D "$TMP/headers" -o "$TMP/answer" -w '%{http_code}' "$URL$2" 2>"$TMP/curl") || HTTP=000
}
answer() { sed -n "s/^$1=//p" "$TMP/answer" 2>/dev/null | head -n 1 | tr -cd '\40-\176' | cut -c 1-500; }
header() {
  tr -d '\r' <"$TMP/headers" 2>/dev/null | awk -v n="$1" '{ i = index($0, ":") }
    tolower(substr($0, 1, i - 1)) == n { v = substr($0, i + 2) } END { print v }'
}
problem() {
  if [ "$HTTP" = 000 ]; then
    echo "$URL does not answer ($(head -n 1 "$TMP/curl"))"
  else
    echo "the Worker says $HTTP $(answer TYPE): $(answer DETAIL)"
  fi
}

facts() {
  printf '{"agent":"%s","os":"%s","docker":"%s","zerotier":"%s"}' "$VERSION" "${OS% *}" \
    "$(dockerd --version 2>/dev/null | sed 's/^Docker version //; s/,.*//' | tr -cd 'A-Za-z0-9.+~-')" "$(zerotier-cli -v 2>/dev/null | tr -cd '0-9.')"
}

enrol_body() { # TIMESTAMP
  machine=$(tr -d '\n' <"$R/etc/machine-id" | sha256sum | cut -c 1-64)
  identity=$(tr -cd '0-9a-f:' <"$ZT/identity.public")
  node=${identity%%:*}
  printf '%s\n' meshboot-enroll-v1 "$HOST" "$node" "$as" "$machine" "$1" >"$TMP/proof"
  signature=$(zerotier-idtool sign "$ZT/identity.secret" "$TMP/proof" | tr -cd '0-9a-f')
  [ "${#signature}" = 192 ] || fail 'zerotier-idtool sign gives no signature'
  prefixes=$(host_networks | awk -v own="${SUBNET4:-0.0.0.0/32}" "$AWK_IP"'
    $2 !~ /^zt/ && !($2 ~ /^br-/ && inside($1, own)) && !seen[$1]++ && n++ < 60 { printf "%s\"%s\"", n > 1 ? "," : "", $1 }')
  printf '{"identity":"%s","name":"%s","machineId":"%s","timestamp":%s,"signature":"%s","localPrefixes":[%s],"facts":%s}' \
    "$identity" "$as" "$machine" "$1" "$signature" "$prefixes" "$(facts)"
}

# A saved lease carries on when the Worker cannot be asked, or does not want to.
not_enrolled() { # fail|refuse REASON
  leased || "$1" "$2"
  warn "$2; goes on with the saved lease"
}

enrol() {
  STEP=enrol offset=0 tries=0
  if [ ! -s "$ETC/key" ]; then
    leased || refuse 'there is neither a lease nor a key in /etc/meshboot/key: make one at the Worker (POST /v1/keys) and write it there'
    return 0
  fi
  as=${NAME:-$(uname -n | sed 's/\..*//' | tr A-Z a-z | tr -cs 'a-z0-9\n' - | cut -c 1-63 | sed 's/^-//; s/-$//')}
  if dry; then
    say "would enrol at $URL as $as, then forget the key"
    leased && return 0
    say "the rest depends on the lease: local.conf, join, sysctls, rules, routes, dockerd (DOCKER=$DOCKER, IPV6NAT=$IPV6NAT), report"
    exit 0
  fi
  while tries=$((tries + 1)); do
    enrol_body $(($(date +%s) + offset)) >"$TMP/body"
    call POST /v1/enroll "$ETC/key" "$TMP/body"
    case $HTTP in
    200)
      save_lease
      return 0
      ;;
    202)
      say "$node ($as) waits for approval at the Worker"
      [ "$tries" -lt 20 ] || fail 'not approved yet'
      sleep 30
      continue
      ;;
    422)
      there=$(date -d "$(header date)" +%s 2>/dev/null) || there=''
      case $(answer TYPE)$offset$there in
      */clock-skew0?*)
        offset=$((there - $(date +%s)))
        say "this clock is $offset s off: signs with the Worker's time"
        continue
        ;;
      esac
      ;;
    429 | 503)
      wait=$(header retry-after | tr -cd 0-9)
      if [ "$tries" -lt 5 ] && [ "${wait:-10}" -le 300 ]; then
        say "$(problem): tries again in ${wait:-10} s"
        sleep "${wait:-10}"
        continue
      fi
      ;;
    4*)
      not_enrolled refuse "$(problem) Mend that, or put a new key into /etc/meshboot/key; then meshboot up"
      return 0
      ;;
    esac
    not_enrolled fail "$(problem)"
    return 0
  done
}

# First the lease, then the token, last the key away: a kill in between only enrols again, for the same lease.
save_lease() {
  use_lease "$TMP/answer" || fail "the Worker's answer is no sound lease: $REASON"
  [ "$NODE" = "$node" ] && [ -n "$TOKEN" ] || fail "the Worker's answer is for node $NODE, or without a token"
  mkdir -p "$STATE"
  chmod 700 "$STATE"
  store_lease
  echo "$TOKEN" | put_file "$STATE/token" 600
  rm -f "$ETC/key"
  say "slot $SLOT: $ZEROTIER4, $SUBNET4, $SUBNET6"
}
store_lease() { grep -E '^[A-Z0-9_]+=' "$TMP/answer" | grep -v '^TOKEN=' | put_file "$STATE/lease" 600; }

# --- ZeroTier's settings and membership ---

# Off docker's bridges, and no ZeroTier packets through the mesh. zerotier-one reads a changed local.conf within 10 s.
configure_zerotier() {
  STEP=local.conf
  conf="{\"settings\":{\"interfacePrefixBlacklist\":[\"docker\",\"br-\",\"veth\"]},
\"physical\":{\"$POOL_ZEROTIER\":{\"blacklist\":true},\"$POOL_DOCKER\":{\"blacklist\":true},\"$MESH6\":{\"blacklist\":true}}}"
  if [ -s "$ZT/local.conf" ] && [ "$conf" != "$(cat "$ZT/local.conf")" ]; then
    conf=$(python3 - "$ZT/local.conf" "$conf" <<'EOF'
import json, sys
old, new = json.load(open(sys.argv[1])), json.loads(sys.argv[2])
names = old.setdefault("settings", {}).setdefault("interfacePrefixBlacklist", [])
names += [x for x in new["settings"]["interfacePrefixBlacklist"] if x not in names]
old.setdefault("physical", {}).update(new["physical"])
print(json.dumps(old, indent=1))
EOF
    ) || conf=''
  fi
  if [ -n "$conf" ]; then
    echo "$conf" | put_file "$ZT/local.conf" 644
  else
    warn 'local.conf is yours and could not be merged (no python3, or not JSON): add docker, br- and veth to its interfacePrefixBlacklist'
  fi
  # A restart makes the mesh's interface anew, without our routes.
  put_file "$UNITS/zerotier-one.service.d/50-meshboot.conf" 644 <<EOF
[Service]
ExecStartPost=-+/bin/sh -c 'mkdir -p /run/meshboot; : >/run/meshboot/again; systemctl start --no-block meshboot.service'
EOF
  reload_unit zerotier-one
}

# ZT_STATUS (empty: not joined) and ZT_DEV. From the end: a network's name may hold blanks.
look_at_network() {
  ZT_STATUS='' ZT_DEV=''
  IFS=' ' read -r ZT_STATUS ZT_DEV <<EOF || :
$(zerotier-cli listnetworks 2>/dev/null | awk -v n="$NETWORK" '$3 == n { print $(NF - 3), $(NF - 1) }')
EOF
  case $ZT_DEV in *[!a-zA-Z0-9]* | ????????????????*) ZT_DEV='' ;; esac
}

# What the network may set on this host: addresses and routes of the mesh's ranges, nothing else.
limit_network() {
  put_file "$limits" 644 <<EOF
allowManaged=$MESH
allowGlobal=0
allowDefault=0
allowDNS=0
EOF
}

join_network() {
  STEP=join tries=0 limits=$ZT/networks.d/$NETWORK.local.conf
  if [ ! -e "$ZT/networks.d/$NETWORK.conf" ]; then
    limit_network
    run zerotier-cli join "$NETWORK" >/dev/null
    # The join has written its defaults over it; what was read before stays in force.
    limit_network
  elif ! grep -qsxF "allowManaged=$MESH" "$limits"; then
    # A member already, by hand: `down` shall not leave.
    listed "${limits#"$R"}" || run touch "$STATE/joined"
    limit_network
    say 'restarts zerotier-one, which reads only then what a network may set'
    run systemctl restart zerotier-one.service
    run rm -f "$RUN/again"
  fi
  while look_at_network; do
    case $ZT_STATUS in
    OK | REQUESTING_CONFIGURATION)
      if [ -n "$ZT_DEV" ] && ip -o -4 addr show dev "$ZT_DEV" 2>/dev/null | grep -qF " $ZEROTIER4 "; then break; fi
      ;;
    esac
    dry && return 0
    tries=$((tries + 1))
    [ "$tries" -lt 90 ] || fail "no $ZEROTIER4 from network $NETWORK, status ${ZT_STATUS:-unknown}. ACCESS_DENIED: authorize $NODE at the Worker; NOT_FOUND: no such network; PORT_ERROR: no tun device; else UDP 9993 may be blocked"
    sleep 1
  done
  DEV=$ZT_DEV
  echo "$DEV" | put_file "$STATE/interface" 600
}

# --- the kernel ---

# accept_ra=2 first: with 1, forwarding makes the kernel drop the default route that it has from router advertisements.
# With 0 something else (networkd) minds them.
sysctl_lines() {
  {
    ip -6 route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\) .*proto ra.*/\1/p'
    sed -n 's|^net/ipv6/conf/\(.*\)/accept_ra=2$|\1|p' "$SYSCTL" 2>/dev/null || :
  } | sort -u | while read -r dev; do
    case $(cat "$R/proc/sys/net/ipv6/conf/$dev/accept_ra" 2>/dev/null) in 1 | 2) echo "net/ipv6/conf/$dev/accept_ra=2" ;; esac
  done
  printf '%s=1\n' net/ipv4/ip_forward net/ipv6/conf/default/forwarding net/ipv6/conf/all/forwarding \
    net/ipv6/conf/default/proxy_ndp net/ipv6/conf/all/proxy_ndp
}
set_sysctl() { (echo "$2" >"$R/proc/sys/$1") 2>/dev/null || warn "$1 cannot be set here"; }

apply_sysctls() {
  STEP=sysctls
  sysctl_lines >"$TMP/sysctls"
  put_file "$SYSCTL" 644 <"$TMP/sysctls"
  while IFS='=' read -r key value; do
    have=$(cat "$R/proc/sys/$key" 2>/dev/null) || continue
    [ "$have" != "$value" ] || continue
    say "$key: $have, now $value"
    dry && continue
    grep -qs "^$key=" "$STATE/sysctls" || echo "$key=$have" >>"$STATE/sysctls"
    set_sysctl "$key" "$value"
  done <"$TMP/sysctls"
}
restore_sysctls() {
  [ ! -s "$STATE/sysctls" ] || sed '1!G;h;$!d' "$STATE/sysctls" | while IFS='=' read -r key value; do set_sysctl "$key" "$value"; done
}

# In: the mesh, and nothing else, may speak to a container's own address. Out: a null SNAT one step before Docker's chain keeps
# the true source on the mesh (the first mapping wins; a RETURN in Docker's chain is lost at its next restart). With IPV6NAT=off
# nothing hides a ULA: it must not leave.
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
chain post {
type nat hook postrouting priority 99; policy accept;
oifname "$DEV" ip saddr $SUBNET4 snat ip to ip saddr
oifname "$DEV" ip6 saddr $SUBNET6 snat ip6 to ip6 saddr
}
EOF
  [ "$IPV6NAT" != off ] || cat <<EOF
chain out {
type filter hook forward priority 0; policy accept;
oifname { "lo", "$DEV", "docker0" } accept
oifname "br-*" accept
ip6 saddr $SUBNET6 drop
}
EOF
  echo '}'
}

# Docker >= 28 drops in raw and wants DOCKER-USER, 20.10 has no DOCKER-USER for IPv6: an ACCEPT in each place serves all.
accepts() { # -C|-I|-D DEVICE SUBNET4 SUBNET6: 1 when one of them fails
  rc=0
  for place in raw:PREROUTING filter:DOCKER-USER filter:FORWARD; do
    iptables -w -t "${place%:*}" "$1" "${place#*:}" -i "$2" -d "$3" -j ACCEPT 2>/dev/null || rc=1
    ip6tables -w -t "${place%:*}" "$1" "${place#*:}" -i "$2" -d "$4" -j ACCEPT 2>/dev/null || rc=1
  done
  return $rc
}
table() { nft -s list table inet meshboot 2>/dev/null || :; }

load_rules() {
  STEP=rules
  if dry; then DEV=${DEV:-zt0}; fi
  [ -n "$DEV" ] || fail "the mesh's interface is not known yet: meshboot up"
  # What `down` has to leave as it was.
  if ! dry && [ ! -e "$STATE/tables" ]; then
    ip6tables -w -S 2>/dev/null | grep -E '^-P FORWARD|DOCKER' | sort | head -n 1 >"$STATE/forward6" || :
    nft list tables >"$TMP/tables" 2>/dev/null || :
    mv "$TMP/tables" "$STATE/tables"
  fi
  loaded=$(cat "$STATE/rules" 2>/dev/null) || loaded="$DEV $SUBNET4 $SUBNET6"
  [ "$loaded" = "$DEV $SUBNET4 $SUBNET6" ] || run unload_rules
  echo "$DEV $SUBNET4 $SUBNET6" | put_file "$STATE/rules" 600
  rules=$(rules_text)
  if [ "$rules $(table)" != "$(cat "$RUN/nft" 2>/dev/null)" ]; then
    say 'loads nft table inet meshboot'
    if ! dry; then
      printf 'table inet meshboot\ndelete table inet meshboot\n%s\n' "$rules" | nft -f - || fail 'nft does not take the rules'
      mkdir -p "$RUN"
      echo "$rules $(table)" >"$RUN/nft"
    fi
  fi
  if ! accepts -C "$DEV" "$SUBNET4" "$SUBNET6"; then
    say 'adds accepts for the mesh to iptables and ip6tables'
    dry && return 0
    # Docker keeps a chain that is already there.
    iptables -w -N DOCKER-USER 2>/dev/null || :
    ip6tables -w -N DOCKER-USER 2>/dev/null || :
    accepts -D "$DEV" "$SUBNET4" "$SUBNET6" || :
    accepts -I "$DEV" "$SUBNET4" "$SUBNET6" || fail 'iptables does not take the rules: see iptables -t raw -S'
  fi
}

unload_rules() {
  IFS=' ' read -r old_dev old_4 old_6 <"$STATE/rules" || return 0
  accepts -D "$old_dev" "$old_4" "$old_6" || :
  nft delete table inet meshboot 2>/dev/null || :
  rm -f "$RUN/nft"
  for tool in iptables ip6tables; do
    [ "$($tool -w -S DOCKER-USER 2>/dev/null)" != '-N DOCKER-USER' ] || $tool -w -X DOCKER-USER 2>/dev/null || :
  done
}

# What dockerd and iptables leave behind: IPv6 rules of a Docker that had none before us, and empty tables that were not there.
sweep_firewall() {
  before=$(cat "$STATE/forward6" 2>/dev/null || :)
  case $before in
  '-P FORWARD '*)
    ip6tables-save 2>/dev/null | awk -v policy="${before##* }" '/DOCKER|docker0|[io] br-/ { next } /^:FORWARD / { $2 = policy } { print }' | ip6tables-restore 2>/dev/null || :
    ;;
  esac
  for name in 'ip raw' 'ip nat' 'ip filter' 'ip6 raw' 'ip6 nat' 'ip6 filter'; do
    # shellcheck disable=SC2086 # family and table, two words
    if [ -e "$STATE/tables" ] && ! grep -qxF "table $name" "$STATE/tables" && listing=$(nft list table $name 2>/dev/null); then
      echo "$listing" | grep -qvE '^#|^table |policy accept;$|^[[:space:]]*(chain .*|\}|)$' || nft delete table $name
    fi
  done
}

# `ip route show` of the interface on stdin: the batch that leads from there to one route a slot; with UNDO to none.
routes_batch() {
  awk -v dev="$DEV" -v own="$SLOT" -v n="$SLOTS" -v z="$POOL_ZEROTIER" -v d="$POOL_DOCKER" -v p="$NODE_PREFIX" -v metric=$METRIC -v undo="$UNDO" "$AWK_IP"'
    { via = m = ""; for (i = 2; i < NF; i++) if ($i == "via") via = $(i + 1); else if ($i == "metric") m = $(i + 1) }
    m == metric { have[$1] = via }
    END {
      tail = " dev " dev " proto static metric " metric; s = two(32 - p)
      for (i = 1; i <= n && !undo; i++) if (i != own) {
        t = txt(first(d) + i * s) "/" p; v = txt(first(z) + i); want[t]
        if (have[t] != v) print "route replace " t " via " v tail
      }
      for (t in have) if (!(t in want)) print "route del " t tail
    }'
}
our_routes() { ip -4 route show dev "$DEV" proto static 2>/dev/null || :; }

apply_routes() {
  STEP=routes
  our_routes | routes_batch >"$TMP/routes"
  if [ -s "$TMP/routes" ]; then
    say "changes $(wc -l <"$TMP/routes") routes on $DEV"
    dry || ip -4 -batch "$TMP/routes" >"$TMP/ip" 2>&1 || fail "ip does not take the routes: $(head -n 1 "$TMP/ip")"
  fi
  # A packet to an address of the lease that no container has must not leave by the default route.
  [ -n "$(ip -4 route show type unreachable to exact "$SUBNET4")" ] || run ip -4 route replace unreachable "$SUBNET4" metric 4294967295 proto static
  [ -n "$(ip -6 route show type unreachable to exact "$SUBNET6")" ] || run ip -6 route replace unreachable "$SUBNET6" metric 2147483647 proto static
}
drop_routes() {
  UNDO=yes
  if [ -n "$DEV" ]; then our_routes | routes_batch | ip -4 -force -batch - >/dev/null 2>&1 || :; fi
  ip -4 route del unreachable "$SUBNET4" metric 4294967295 2>/dev/null || :
  ip -6 route del unreachable "$SUBNET6" metric 2147483647 2>/dev/null || :
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

# Two /16 that neither the mesh nor the host uses, for when the lease's upper half is full. Chosen once: a change restarts dockerd.
outer_pools() {
  host_networks | awk -v z="$POOL_ZEROTIER" -v d="$POOL_DOCKER" "$AWK_IP"'
    $2 !~ /^(br-|docker:)/ { used[n++] = $1 }
    END {
      used[n++] = z; used[n++] = d
      for (i = 17; i < 50 && k < 2; i++) {
        p = (i < 32 ? "172." i : i == 32 ? "192.168" : "10." (i + 170)) ".0.0/16"
        for (j = 0; j < n && !overlap(p, used[j]); j++);
        if (j == n) { print p; k++ }
      }
    }'
}

docker_options() {
  echo "--bip=$BIP --fixed-cidr=$LOWER --ipv6 --fixed-cidr-v6=$NET6::/81 --default-address-pool=base=$UPPER --default-address-pool=base=$NET6:8000::/81,size=96"
  sed 's/.*/--default-address-pool=base=&,size=24/' "$STATE/pools" 2>/dev/null || :
  nat_options
}

install_docker() {
  packages='' plugin=docker-compose
  case $DOCKER$ID in officialdebian | officialubuntu) plugin=docker-compose-plugin ;; *ubuntu) plugin=docker-compose-v2 ;; esac
  if [ "$DOCKER" != present ]; then
    if ! has dockerd; then
      packages="docker.io apparmor"
      if [ "$DOCKER" = official ]; then
        install_tools gpg:gpg
        at=https://download.docker.com/linux/$ID
        add_repository docker "$at/gpg" 9DC858229FC7DD38854AE2D88D81803C0EBFCD88 "$at $CODENAME stable"
        packages="docker-ce docker-ce-cli containerd.io apparmor"
      elif ! dry && apt_update && [ -n "$(apt-cache search --names-only '^docker-cli$')" ]; then packages="$packages docker-cli"; fi
      # Masked while it is installed, so that its first start already has our options.
      if ! dry; then
        mkdir -p "$RUN"
        : >"$RUN/masked"
        systemctl mask --runtime docker.service docker.socket >/dev/null 2>&1 || :
      fi
    fi
    if [ "$COMPOSE" = on ] && ! has docker-compose && ! docker compose version >/dev/null 2>&1; then packages="$packages $plugin"; fi
    # shellcheck disable=SC2086 # package names, one word each
    if [ -n "$packages" ]; then install $packages; fi
  fi
  if [ -e "$RUN/masked" ] && ! dry; then systemctl unmask --runtime docker.service docker.socket >/dev/null 2>&1 || :; fi
}

write_docker_files() {
  # shellcheck disable=SC2046,SC2086 # paths of units hold no blanks
  start=$(exec_start $(for file in $(unit_value docker FragmentPath) $(unit_value docker DropInPaths); do case $file in *-meshboot.conf) ;; *) echo "$R$file" ;; esac done) </dev/null)
  from=${start%% *} start=${start#* }
  [ -n "$start" ] || fail 'docker.service has no ExecStart: see systemctl cat docker.service'
  # systemd reads drop-ins by name: behind one of the user's own that would win over 50-meshboot.conf, ours is called zz.
  name=50-meshboot.conf other=zz-50-meshboot.conf from=${from##*/}
  if [ "$from" != docker.service ] && [ "$(printf '%s\n' "$from" $name | sort | head -n 1)" = $name ]; then
    name=$other other=50-meshboot.conf
  fi
  [ -s "$STATE/pools" ] || outer_pools | put_file "$STATE/pools" 600
  options=$(docker_options | tr '\n' ' ')
  options=${options% }
  echo "MESHBOOT_OPTIONS=\"$options\"" | put_file "$ETC/dockerd.env" 644
  put_file "$UNITS/docker.service.d/$name" 644 <<EOF
[Service]
EnvironmentFile=-/etc/meshboot/dockerd.env
ExecStartPre=-/usr/local/sbin/meshboot rules
ExecStart=
ExecStart=$start \$MESHBOOT_OPTIONS
EOF
  dry || drop_file "/etc/systemd/system/docker.service.d/$other"
}

docker_has_options() {
  case $(tr '\0' ' ' <"$R/proc/$(unit_value docker MainPID)/cmdline" 2>/dev/null) in *" $options "*) ;; *) return 1 ;; esac
}

configure_docker() {
  STEP=dockerd
  install_docker
  if ! has dockerd; then
    say "Docker is not installed (DOCKER=$DOCKER): gets its options as soon as it is"
    return 0
  fi
  check_daemon_json
  reload_unit docker
  write_docker_files
  reload_unit docker
  if running docker; then
    docker_has_options && return 0
    containers=$(docker ps -q 2>/dev/null | wc -l)
    [ "$containers" = 0 ] || warn "$containers running containers restart with dockerd"
  elif [ ! -e "$RUN/masked" ] && [ "$(systemctl is-enabled docker.service 2>/dev/null)" != enabled ]; then
    say 'docker.service is not enabled: has its options, is not started'
    return 0
  fi
  say "starts dockerd with $options"
  dry && return 0
  systemctl reset-failed docker.service 2>/dev/null || :
  systemctl restart docker.service || fail "dockerd does not start: $(journalctl -u docker.service -n 30 --no-pager -o cat 2>/dev/null | grep -iE 'fail|error|unable' | tail -n 1)"
  rm -f "$RUN/masked"
}

# dockerd keeps docker0's address when it is told none: the bridge has to go, unless containers hang on it (live-restore).
restore_docker() {
  options=$(our_options)
  for file in /etc/meshboot/dockerd.env /etc/systemd/system/docker.service.d/50-meshboot.conf /etc/systemd/system/docker.service.d/zz-50-meshboot.conf; do drop_file $file; done
  systemctl daemon-reload
  restart=''
  if [ -n "$options" ] && docker_has_options; then
    say "restarts dockerd without the mesh's options"
    restart=yes
    systemctl stop docker.socket docker.service || :
    [ -n "$(ls "$R/sys/class/net/docker0/brif" 2>/dev/null)" ] || ip link del docker0 2>/dev/null || :
  fi
  sweep_firewall
  [ -z "$restart" ] || systemctl start docker.service || warn 'dockerd does not start: see journalctl -u docker'
}
our_options() { sed -n 's/^MESHBOOT_OPTIONS="\(.*\)"$/\1/p' "$ETC/dockerd.env" 2>/dev/null || :; }

# --- report ---

heartbeat() { # ok|failed [STEP]
  [ -s "$STATE/token" ] || return 0
  lines=''
  if [ -n "${2:-}" ]; then lines=",\"step\":\"$2\",\"log\":\"$(tail -c 3500 "$RUN/log" | tr -cd '\n\40-\176' | sed 's/[\\"]/\\&/g' | awk '{ printf "%s\\n", $0 }')\""; fi
  printf '%s' "{\"state\":\"$1\"$lines,\"facts\":$(facts)}" >"$TMP/beat"
  call POST "/v1/nodes/$NODE/heartbeat" "$STATE/token" "$TMP/beat"
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $HTTP" >"$RUN/reported"
}

# A Worker that does not answer is no failure: what runs keeps running. Its answer is the lease as it is now.
report() {
  STEP=report changed=''
  if dry; then
    say "would report to $URL"
    return 0
  fi
  heartbeat ok
  case $HTTP in
  200)
    mine="$NODE $MESH $ZEROTIER4 $SUBNET4"
    if use_lease "$TMP/answer" && [ "$NODE" = "${mine%% *}" ]; then
      [ "$mine" = "$NODE $MESH $ZEROTIER4 $SUBNET4" ] || changed=yes
      store_lease
    fi
    saved_lease
    ;;
  4*) warn "$(problem) This server stays as it is; to enrol again: a new key in /etc/meshboot/key, then meshboot up" ;;
  *) warn "$(problem); reports again within the hour" ;;
  esac
}

# --- the verbs ---

prepare() {
  TMP=$(mktemp -d)
  trap leave EXIT
  trap 'exit 143' TERM
  trap 'exit 130' INT
  dry || mkdir -p "$RUN"
}
leave() {
  rc=$?
  trap - EXIT
  set +e
  if [ $rc != 0 ] && [ -n "$LOG" ]; then
    echo "$STEP" >"$RUN/failed"
    if [ -n "$NODE" ]; then (heartbeat failed "$STEP") >/dev/null 2>&1; fi
  fi
  rm -rf "$TMP"
  exit $rc
}
lock() {
  exec 9>"$RUN/lock"
  if has flock && ! flock -n 9; then
    say 'waits for another meshboot to finish'
    flock 9
  fi
}

apply_lease() {
  configure_zerotier
  join_network
  apply_sysctls
  load_rules
  apply_routes
  configure_docker
}

up() {
  prepare
  if ! dry; then
    lock
    LOG=$RUN/log
    : >"$LOG"
  fi
  STEP=settings
  read_settings
  if leased; then saved_lease; fi
  check_system
  if ! leased || ! has zerotier-one; then
    wait_for_network
    install_tools
  fi
  if leased; then check_overlap; fi
  install_zerotier
  enrol
  check_overlap
  apply_lease
  report
  if [ -n "$changed" ]; then
    say 'the Worker has changed the lease'
    check_overlap
    apply_lease
  fi
  STEP=up
  if dry; then
    say 'nothing was changed'
    return 0
  fi
  rm -f "$RUN/failed"
  say "$NODE is in the mesh: $ZEROTIER4, $SUBNET4, $SUBNET6"
}

# For the service. Each attempt is a process of its own; $RUN/again asks for one more (zerotier-one has restarted).
retry_up() {
  mkdir -p "$RUN"
  delay=5
  while rm -f "$RUN/again"; do
    rc=0
    "$0" up || rc=$?
    case $rc in
    0) [ -e "$RUN/again" ] || exit 0 ;;
    3) pause 1800 ;;
    *)
      pause $delay
      delay=$((delay < 150 ? delay * 2 : 300))
      ;;
    esac
  done
}

down() { # [release]
  prepare
  systemctl disable --now meshboot.timer meshboot.service 2>/dev/null || :
  lock
  STEP=down
  if leased; then
    saved_lease
    if [ -n "$1" ]; then
      read_settings
      call DELETE "/v1/nodes/$NODE" "$STATE/token" /dev/null
      case $HTTP in 2*) say 'the lease is given back' ;; *) fail "$(problem) To undo all and keep the lease: meshboot down" ;; esac
    fi
    drop_routes
  fi
  restore_sysctls
  if [ -s "$STATE/rules" ]; then unload_rules; fi
  restore_docker
  if [ -n "$NODE" ] && [ ! -e "$STATE/joined" ]; then
    say "leaves network $NETWORK"
    zerotier-cli leave "$NETWORK" >/dev/null || warn "zerotier-cli leave $NETWORK fails"
  fi
  if [ -s "$STATE/files" ]; then
    cp "$STATE/files" "$TMP/files"
    while read -r file; do drop_file "$file"; done <"$TMP/files"
  fi
  systemctl daemon-reload
  rm -rf "$STATE" "$RUN"
  say 'all undone; packages stay. To come back: a key in /etc/meshboot/key, then systemctl enable --now meshboot.service meshboot.timer'
}

status() { # [json]
  prepare
  STEP=status
  leased || refuse 'there is no lease: meshboot up'
  saved_lease
  look_at_network
  options=$(our_options)
  cat >"$TMP/status" <<EOF
node $NODE
name $NAME_LEASED
network $NETWORK
slot $SLOT
state $LEASE_STATE
zerotier ${ZT_STATUS:-NOT_JOINED}
interface $DEV
zerotierIpv4 $ZEROTIER4
zerotierIpv6 $NET6::1/40
dockerIpv4 $SUBNET4
dockerIpv6 $SUBNET6
docker $(systemctl is-active docker.service 2>/dev/null || :)
dockerOptions $options
dockerOptionsInForce $(if docker_has_options; then echo true; else echo false; fi)
routes $(our_routes | grep -c "metric $METRIC" || :)
routesExpected $((SLOTS - 1))
rules $(if [ -n "$(table)" ] && accepts -C "$DEV" "$SUBNET4" "$SUBNET6"; then echo true; else echo false; fi)
failedStep $(cat "$RUN/failed" 2>/dev/null || :)
lastReport $(cat "$RUN/reported" 2>/dev/null || :)
agent $VERSION
EOF
  awk -v json="$1" '{ k = $1; v = substr($0, length(k) + 2) }
    !json { printf "%-22s%s\n", k, v; next }
    k ~ /^(slot|routes|routesExpected|rules|dockerOptionsInForce)$/ { printf "%s\"%s\":%s", s, k, v; s = "," ; next }
    { printf "%s\"%s\":\"%s\"", s ? s : "{", k, v; s = "," }
    END { if (json) print "}" }' "$TMP/status"
}

beat() {
  prepare
  read_settings
  leased || refuse 'there is no lease: meshboot up'
  saved_lease
  check_system
  STEP=heartbeat
  if [ -s "$RUN/failed" ]; then heartbeat failed "$(cat "$RUN/failed")"; else heartbeat ok; fi
  [ "$HTTP" = 200 ] || fail "$(problem)"
}

rules() {
  prepare
  leased || exit 0
  saved_lease
  read_settings
  load_rules
}

main() {
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  export PATH LC_ALL=C
  umask 022
  if [ -t 2 ]; then RED=$(printf '\033[31m') PLAIN=$(printf '\033[0m'); fi
  case "$*" in
  up) up ;;
  'up --dry-run') DRY=yes && up ;;
  'up --retry') retry_up ;;
  status) status '' ;;
  'status --json') status json ;;
  down) down '' ;;
  'down --release') down release ;;
  heartbeat) beat ;;
  rules) rules ;;
  --version) echo "meshboot $VERSION" ;;
  *)
    cat <<EOF
usage: meshboot up [--dry-run] | status [--json] | down [--release] | heartbeat | rules | --version
exit codes: 0 done, 1 failed but worth a retry, 2 wrong usage, 3 refused: somebody has to change something
EOF
    [ "$*" = --help ] || exit 2
    ;;
  esac
}

[ -n "${MESHBOOT_SOURCE:-}" ] || main "$@"
