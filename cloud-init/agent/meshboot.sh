#!/bin/sh
# meshboot: makes this server a node of a Meshboot mesh (ZeroTier, routes, rules, dockerd) and keeps it one.
#
# Usage, exit codes: meshboot --help, or usage() at the end of this file.
# Settings: /etc/meshboot/meshboot.conf. Enrolment key: /etc/meshboot/key. State: /var/lib/meshboot. Log: /run/meshboot/log.
# Environment: MESHBOOT_ROOT, a directory to work under instead of / (tests); NO_COLOR.
#
# What comes from outside (settings, the Worker, zerotier-cli) is matched against patterns and never evaluated.
#
# This file travels inside user-data: cloud-init/agent/shipped.ts takes its comment lines, its empty lines and its
# indentation away. So no here-document and no quoted text may need any of the three.
set -euf

VERSION=0.1.0
R=${MESHBOOT_ROOT:-}
ETC=$R/etc/meshboot
STATE=$R/var/lib/meshboot
RUN=$R/run/meshboot
ZT=$R/var/lib/zerotier-one
SYSCTL=/etc/sysctl.d/90-meshboot.conf
UNITS=/etc/systemd/system
CONF=/etc/meshboot/meshboot.conf
ROUTE_METRIC=5100
# More routes than that make every look at them slow: a pool with more slots is refused.
MOST_SLOTS=16384

# What the run is about: the step for messages, the log, whether it is a dry run, colours.
STEP=meshboot
LOG=/dev/null
DRY=''
RED=''
PLAIN=''
# What is known of the node: see use_lease.
DEV=''
NODE=''
SUBNET4=0.0.0.0/32
SLOTS=0
UNDO=''
HTTP=000
IPV6=on

# --- saying, failing, running. In a dry run everything is said and nothing is done ---

note() {
  printf '%s: %s\n' "$STEP" "$1" >>"$LOG"
}

say() {
  printf 'meshboot: %s%s: %s\n' "$DRY" "$STEP" "$1"
  note "$1"
}

warn() {
  printf '%smeshboot: %s%s: %s%s\n' "$RED" "$DRY" "$STEP" "$1" "$PLAIN" >&2
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

dry() {
  [ -n "$DRY" ]
}

run() {
  if dry; then
    say "runs $*"
  else
    "$@"
  fi
}

has() {
  command -v "$1" >/dev/null 2>&1
}

has_lease() {
  [ -s "$STATE/lease" ]
}

read_file() {
  cat "$1" 2>/dev/null || :
}

true_or_false() {
  if "$@"; then
    echo true
  else
    echo false
  fi
}

# Somebody else's text in a message: printable, on one line, not without end.
printable() {
  printf %s "$1" | tr -cd '\40-\176' | cut -c 1-200
}

# --- files: whole or not at all, only when they change; the first writing keeps what was there for `down` ---

kept_copy() { # PATH
  echo "$STATE/kept/$(echo "$1" | tr / %)"
}

is_listed() { # PATH
  grep -qsxF "$1" "$STATE/files"
}

make_state() {
  (umask 077 && mkdir -p "$STATE/kept")
  chmod 700 "$STATE"
}

# First the copy, then the list, then the file: a kill in between loses nothing.
keep_original() { # PATH
  case $1 in /var/lib/meshboot/*) return 0 ;; esac
  if is_listed "$1"; then
    return 0
  fi
  if [ -e "$R$1" ]; then
    cp -pP "$R$1" "$(kept_copy "$1")"
  fi
  echo "$1" >>"$STATE/files"
}

put_file() { # PATH MODE, content on stdin
  # The dot keeps the line feeds at the end.
  text=$(cat && echo .)
  text=${text%.}
  if [ -f "$R$1" ] && printf %s "$text" | cmp -s - "$R$1"; then
    return 0
  fi
  say "writes $1"
  if dry; then
    return 0
  fi
  mkdir -p "$R${1%/*}"
  make_state
  keep_original "$1"
  case $1 in
  # See reload_unit.
  *.service.d/*)
    mkdir -p "$RUN"
    : >"$RUN/reload"
    ;;
  esac
  (umask 077 && printf %s "$text" >"$R$1.meshboot-tmp")
  chmod "$2" "$R$1.meshboot-tmp"
  mv -f "$R$1.meshboot-tmp" "$R$1"
}

# Puts the files that match back to what they were before us. The copies stay until the very end, so that a `down`
# which was killed can be run again.
drop_files() { # PATTERN
  read_file "$STATE/files" | grep -E "$1" | while read -r path; do
    copy=$(kept_copy "$path")
    rm -f "$R$path.meshboot-tmp"
    if [ -e "$copy" ]; then
      cp -pP "$copy" "$R$path.meshboot-tmp"
      mv -f "$R$path.meshboot-tmp" "$R$path"
    else
      rm -f "$R$path"
    fi
    case $path in *.service.d/*) rmdir "$R${path%/*}" 2>/dev/null || : ;; esac
  done
}

# --- reading what others wrote: addresses, the lease, the settings, the host's networks ---

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
function is_prefix(s) { return s ~ /^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+\/[0-9]+$/ && len(s) <= 32 && s == net(s) }
'

# awk over the lease's numbers: zt and pool are the ranges, p the length of a node's prefix and s its size, n the slot and
# top the highest, at the ZeroTier address, own the subnet.
pool_awk() { # PROGRAM
  awk -v zt="$L_POOL_ZEROTIER" -v pool="$L_POOL_DOCKER" -v p="$L_POOL_NODE_PREFIX" -v n="$L_SLOT" -v top="$SLOTS" \
    -v at="$L_ZEROTIER_IPV4" -v own="$SUBNET4" -v dev="$DEV" -v undo="$UNDO" -v metric=$ROUTE_METRIC \
    "$AWK_IP BEGIN { s = two(32 - p) } $1"
}

# Takes the lease's lines into L_KEY. Those of a later version, and those that follow from the others, are skipped.
read_lease() { # FILE
  L_NETWORK='' L_NODE='' L_NAME='' L_SLOT='' L_STATE='' L_ZEROTIER_IPV4='' L_DOCKER_IPV4_SUBNET=''
  L_POOL_ZEROTIER='' L_POOL_DOCKER='' L_POOL_NODE_PREFIX='' L_TOKEN=''
  while IFS='=' read -r key value; do
    case $key in
    NETWORK) L_NETWORK=$value ;;
    NODE) L_NODE=$value ;;
    NAME) L_NAME=$value ;;
    SLOT) L_SLOT=$value ;;
    STATE) L_STATE=$value ;;
    ZEROTIER_IPV4) L_ZEROTIER_IPV4=$value ;;
    DOCKER_IPV4_SUBNET) L_DOCKER_IPV4_SUBNET=$value ;;
    POOL_ZEROTIER) L_POOL_ZEROTIER=$value ;;
    POOL_DOCKER) L_POOL_DOCKER=$value ;;
    POOL_NODE_PREFIX) L_POOL_NODE_PREFIX=$value ;;
    TOKEN) L_TOKEN=$value ;;
    *) continue ;;
    esac
    case $key in
    TOKEN) REASON='TOKEN has a character that no token has' ;;
    *) REASON="$key=$(printable "$value") has a character that does not belong there" ;;
    esac
    case $value in *[!A-Za-z0-9./_-]*) return 1 ;; esac
    REASON="$key is too long"
    [ ${#value} -le 80 ] || return 1
  done <"$1"
}

# A lease (KEY=value lines) into variables L_KEY and what follows from them. 1, and REASON, when it is not sound: its parts
# have to fit together.
use_lease() { # FILE
  read_lease "$1" || return 1
  NODE=$L_NODE
  SUBNET4=$L_DOCKER_IPV4_SUBNET
  REASON="NETWORK=$L_NETWORK is not 16 hexadecimal digits"
  [ ${#L_NETWORK} = 16 ] || return 1
  case $L_NETWORK in *[!0-9a-f]*) return 1 ;; esac
  REASON="NODE=$NODE is not 10 hexadecimal digits"
  [ ${#NODE} = 10 ] || return 1
  case $NODE in *[!0-9a-f]*) return 1 ;; esac
  REASON="SLOT=$L_SLOT is no slot"
  case $L_SLOT in '' | 0* | *[!0-9]* | ?????????*) return 1 ;; esac
  REASON="POOL_NODE_PREFIX=$L_POOL_NODE_PREFIX is not one of 9 to 28"
  case $L_POOL_NODE_PREFIX in 9 | 1[0-9] | 2[0-8]) ;; *) return 1 ;; esac
  derived=$(pool_awk 'function bad(text) { print text; exit 1 }
  BEGIN {
    if (!is_prefix(zt) || len(zt) < 8) bad("POOL_ZEROTIER=" zt " is no range")
    if (!is_prefix(pool) || len(pool) < 8 || len(pool) >= p) bad("POOL_DOCKER=" pool " is no range that holds a /" p)
    if (overlap(zt, pool)) bad("POOL_DOCKER=" pool " overlaps POOL_ZEROTIER=" zt)
    top = int(size(zt) / 16) * 15 - 1
    if (top >= size(pool) / s) top = size(pool) / s - 1
    if (n + 0 > top) bad("SLOT=" n " is above " top ", the last of the pool")
    if (at != txt(first(zt) + n) "/" len(zt)) bad("ZEROTIER_IPV4=" at " is not the address of slot " n)
    lower = first(pool) + n * s
    if (own != txt(lower) "/" p) bad("DOCKER_IPV4_SUBNET=" own " is not the subnet of slot " n)
    half = "/" (p + 1)
    print top, txt(lower + 1) half, txt(lower) half, txt(lower + s / 2) half ",size=" (p < 28 ? 28 : 29)
  }') || {
    REASON=$derived
    return 1
  }
  IFS=' ' read -r SLOTS BIP LOWER UPPER <<EOF
$derived
EOF
  # 6PLANE: fc, the network's halves xored, the node; canonical, without leading zeros.
  six=$(printf 'fc%08x%s' $((0x${L_NETWORK%????????} ^ 0x${L_NETWORK#????????})) "$NODE")
  NET6=$(echo "$six" | sed 's/..../&:/g; s/:$//; s/:00*\([0-9a-f]\)/:\1/g')
  SUBNET6=$NET6::/80
  MESH=$L_POOL_ZEROTIER,$L_POOL_DOCKER,$(echo "$six" | sed 's/^\(....\)\(....\)\(..\).*/\1:\2:\300::\/40/')
  DEV=$(read_file "$STATE/interface")
}

use_saved_lease() {
  has_lease || refuse 'there is no lease: meshboot up'
  use_lease "$STATE/lease" || fail "/var/lib/meshboot/lease is not sound: $REASON"
}

# --- settings ---

matches() { # TEXT EXTENDED-EXPRESSION
  printf '%s\n' "$1" | grep -qxE "$2"
}

bad_setting() { # WHAT-IS-KNOWN
  refuse "$CONF: $key=$(printable "$value") is not known to this version: $1"
}

one_of() { # WORDS
  case $value in '' | *' '*) bad_setting "$1" ;; esac
  case " $1 " in *" $value "*) ;; *) bad_setting "$1" ;; esac
}

take_setting() {
  case $key in
  URL | ZEROTIER_REPOSITORY)
    matches "$value" 'https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?' ||
      bad_setting 'a URL like https://mesh.example.com'
    ;;
  NAME) matches "$value" '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?' || bad_setting 'one DNS label, a-z, 0-9 and -' ;;
  ZEROTIER_FINGERPRINT) matches "$value" '[0-9A-F]{40}' || bad_setting '40 hexadecimal digits in upper case' ;;
  DOCKER) one_of 'present distro official' ;;
  LAYOUT) one_of split ;;
  IPV6NAT) one_of 'auto docker off' ;;
  USERLAND_PROXY | COMPOSE | ALLOW_OVERLAP) one_of 'on off' ;;
  # Its value is not shown: it may be anything, even a key that went into the wrong file.
  *) refuse "$CONF: this version does not know the setting $key" ;;
  esac
  case $key in
  URL) URL=${value%/} ;;
  ZEROTIER_REPOSITORY) ZEROTIER_REPOSITORY=${value%/} ;;
  NAME) NAME=$value ;;
  ZEROTIER_FINGERPRINT) ZEROTIER_FINGERPRINT=$value ;;
  DOCKER) DOCKER=$value ;;
  IPV6NAT) IPV6NAT=$value ;;
  USERLAND_PROXY) USERLAND_PROXY=$value ;;
  COMPOSE) COMPOSE=$value ;;
  ALLOW_OVERLAP) ALLOW_OVERLAP=$value ;;
  esac
}

read_settings() {
  URL='' NAME='' DOCKER=distro IPV6NAT=auto USERLAND_PROXY=on COMPOSE=off ALLOW_OVERLAP=off
  ZEROTIER_REPOSITORY=https://download.zerotier.com
  ZEROTIER_FINGERPRINT=74A5E9C458E1A431F1DA57A71657198823E52A61
  [ -r "$R$CONF" ] || refuse "$CONF is missing: it holds at least URL=https://..."
  number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    case $line in '' | '#'*) continue ;; esac
    key=${line%%=*}
    value=${line#*=}
    case $key in "$line" | '' | *[!A-Z0-9_]*) refuse "$CONF, line $number: is not KEY=value" ;; esac
    take_setting
  done <"$R$CONF"
  [ -n "$URL" ] || refuse "$CONF has no URL=https://..."
  # The host as curl sends it: without the scheme's own port.
  HOST=${URL#*://}
  HOST=${HOST%%/*}
  case $URL in
  https:*) HOST=${HOST%:443} ;;
  *) HOST=${HOST%:80} ;;
  esac
}

# --- the host's networks ---

# Docker networks that have no bridge on the host: they show only in Docker.
docker_networks() {
  # Asked while dockerd does not run, docker.socket would start it.
  if ! has docker || ! is_running docker; then
    return 0
  fi
  ids=$(timeout 20 docker network ls -q --filter driver=macvlan --filter driver=ipvlan 2>/dev/null </dev/null) || ids=''
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2016,SC2086 # a template of Docker's; ids, one word each
    timeout 20 docker network inspect -f '{{$n := .Name}}{{range .IPAM.Config}}{{println .Subnet $n}}{{end}}' $ids 2>/dev/null </dev/null |
      tr -cd 'A-Za-z0-9_./ \n-' | awk '$1 ~ /^[0-9.]+\/[0-9]+$/ { print $1, "docker:" $2 }'
  fi
}

# IPv4 prefixes that the host uses, `prefix device`: not docker0, which gets its addresses from us, and not the mesh.
host_networks() {
  {
    ip -o -4 addr show
    ip -4 route show
  } | awk -v mesh="${DEV:-${ZT_DEV:-}}" "$AWK_IP"'
    { p = d = "" }
    $3 == "inet" { p = $4; d = $2 }
    $3 != "inet" && $1 ~ /^[0-9]+\./ { p = $1; for (i = 2; i < NF; i++) if ($i == "dev") d = $(i + 1) }
    p == "" || d == "lo" || d == "docker0" || d == mesh || seen[net(p), d]++ { next }
    { print net(p), d }'
  docker_networks
}

# What the host cannot do without and what need not lie in one of its prefixes: gateway and resolvers, `prefix name`. Only
# before it is in the mesh: later a resolver may well be a container there.
host_lifelines() {
  if [ -z "$DEV" ]; then
    ip -4 route show | awk '$1 == "default" && $2 == "via" { print $3 "/32", "gateway" }'
    for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
      read_file "$R$file" | awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ && $2 !~ /^127[.]/ { print $2 "/32", "resolver" }'
    done
  fi
}

# `br-0123456789ab` to what a person knows.
network_name() { # DEVICE
  case $1 in
  docker:*) echo "the Docker network ${1#docker:}" ;;
  br-*)
    name=''
    if is_running docker; then
      name=$(timeout 20 docker network inspect -f '{{.Name}}' "${1#br-}" 2>/dev/null </dev/null) || name=''
    fi
    echo "$1${name:+, the Docker network $(printable "$name")}"
    ;;
  *) echo "$1" ;;
  esac
}

# Refuses what lies in the mesh's ranges, but for Docker networks inside the own lease.
check_overlap() {
  STEP=preflight
  if [ "$ALLOW_OVERLAP" = on ]; then
    return 0
  fi
  # A network that was joined by hand is the mesh itself.
  look_at_network
  found=$({
    host_networks
    host_lifelines
  } | pool_awk '!($2 ~ /^br-/ && inside($1, own)) && (overlap($1, zt) || overlap($1, pool)) { print; exit }')
  [ -n "$found" ] || return 0
  refuse "${found%% *} ($(network_name "${found#* }")) overlaps the mesh ($MESH), which would cut it off: remove it (docker network rm), choose other ranges at the Worker, or set ALLOW_OVERLAP=on in $CONF"
}

check_pool_size() {
  STEP=preflight
  [ "$SLOTS" -le $MOST_SLOTS ] || refuse "the pool has $SLOTS subnets, and each server needs a route to every one: $MOST_SLOTS are the most. Give each server a larger one: a smaller NODE_PREFIX than $L_POOL_NODE_PREFIX at the Worker"
}

# --- systemd ---

is_running() { # UNIT
  case $(systemctl is-active "$1.service" 2>/dev/null) in
  active | activating | reloading) return 0 ;;
  *) return 1 ;;
  esac
}

unit_value() { # UNIT PROPERTY
  systemctl show -p "$2" "$1.service" 2>/dev/null | sed "s/^$2=//"
}

# Also when we wrote a drop-in: of the first one of a unit, in a folder that is new, systemd says no NeedDaemonReload.
reload_unit() { # UNIT
  if [ -e "$RUN/reload" ] || [ "$(unit_value "$1" NeedDaemonReload)" = yes ]; then
    run systemctl daemon-reload
    rm -f "$RUN/reload"
  fi
}

# --- up, step 1: the system ---

# A kernel without IPv6 (ipv6.disable=1) has no ip6tables either, and dockerd does not start with --ipv6.
look_for_ipv6() {
  if [ ! -d "$R/proc/sys/net/ipv6" ]; then
    IPV6=off
    warn 'this kernel has no IPv6: the containers get IPv4 alone'
  fi
}

check_system() {
  STEP=preflight
  [ -n "$R" ] || [ "$(id -u)" = 0 ] || refuse 'needs root'
  [ -d "$R/run/systemd/system" ] || refuse 'needs systemd, which does not run this server'
  OS=$(read_file "$R/etc/os-release" | tr -d "\"'" | awk -F= '{ v[$1] = $2 } END { print v["ID"], v["VERSION_ID"], v["VERSION_CODENAME"] }' | tr -cd 'a-z0-9. ')
  case $OS in
  debian\ 1[23]\ * | ubuntu\ 2[246].04\ *) ;;
  *) refuse "$OS is not supported: Debian 12, 13 and Ubuntu 22.04, 24.04, 26.04 are" ;;
  esac
  ID=${OS%% *}
  CODENAME=${OS##* }
  look_for_ipv6
  check_daemon_json
}

docker_major() {
  dockerd --version 2>/dev/null | sed -n 's/^Docker version \([0-9]*\)\..*/\1/p'
}

# Before 27, dockerd has to be asked for its IPv6 firewall and NAT, and both are "experimental".
nat_options() {
  major=$(docker_major)
  if [ "$IPV6" = off ]; then
    if [ "${major:-0}" -ge 27 ]; then
      echo --ip6tables=false
    fi
  elif [ "$IPV6NAT" = off ]; then
    if [ "${major:-0}" -ge 27 ]; then
      echo --ip6tables=false
    fi
  elif [ "${major:-0}" -lt 27 ]; then
    echo --experimental --ip6tables
  fi
  if [ "$USERLAND_PROXY" = off ]; then
    echo --userland-proxy=false
  fi
}

# dockerd does not start when a directive is in this file and on its command line, not even with the same value.
check_daemon_json() {
  clash=''
  directives='bip fixed-cidr ipv6 fixed-cidr-v6 default-address-pools'
  if has dockerd; then
    directives="$directives $(nat_options)"
  fi
  for key in $directives; do
    key=${key#--}
    key=${key%=*}
    if grep -qs "\"$key\"[[:space:]]*:" "$R/etc/docker/daemon.json"; then
      clash="$clash $key"
    fi
  done
  [ -z "$clash" ] || refuse "/etc/docker/daemon.json sets$clash, which meshboot sets: remove it there, dockerd takes it once only"
}

# --- packages ---

# Waits for other package managers, and finishes what a kill left half done. Configuration files that are there stay: an
# operator's cloud-config may have written /etc/default/docker before docker.io is installed.
apt() { # ARGUMENT...
  tries=0
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  until apt-get -qy -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold "$@" \
    </dev/null >"$TMP/apt" 2>&1 9>&-; do
    tries=$((tries + 1))
    why="apt-get $1: $(tail -n 2 "$TMP/apt" | tr '\n' ' ')"
    [ $tries -lt 5 ] || fail "$why"
    warn "$why: tries again"
    sleep $((tries * 5))
    configure_packages
  done
}

configure_packages() {
  dpkg --force-confold --configure -a </dev/null >/dev/null 2>&1 9>&- || :
}

install() { # PACKAGE...
  say "installs $*"
  if dry; then
    return 0
  fi
  make_state
  : >"$STATE/installing"
  apt update
  apt install --no-install-recommends "$@"
  rm -f "$STATE/installing"
}

# A program may be there and its package not configured: then nothing else would ever finish it.
finish_interrupted_install() {
  if [ -e "$STATE/installing" ] && ! dry; then
    say 'finishes an installation that was interrupted'
    configure_packages
    rm -f "$STATE/installing"
  fi
}

install_tools() {
  missing=''
  for tool in curl:curl nft:nftables iptables:iptables ip:iproute2; do
    if ! has "${tool%:*}"; then
      missing="$missing ${tool#*:}"
    fi
  done
  if [ ! -e "$R/etc/ssl/certs/ca-certificates.crt" ]; then
    missing="$missing ca-certificates"
  fi
  if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # package names, one word each
    install $missing
  fi
}

# NAME is the file's, FINGERPRINT the only key's that may be at KEY-URL.
add_repository() { # NAME KEY-URL FINGERPRINT `URL SUITE COMPONENT`
  if ! has gpg; then
    install gpg
  fi
  say "adds the package repository $4 with the key $3"
  if dry; then
    return 0
  fi
  (umask 077 && mkdir -p "$TMP/$1")
  curl -gfsSL --retry 3 --max-time 60 -o "$TMP/key" "$2" 2>"$TMP/curl" || fail "no key of the package repository at $2 ($(head -n 1 "$TMP/curl"))"
  gpg --homedir "$TMP/$1" --batch --import "$TMP/key" 2>/dev/null || :
  got=$(gpg --homedir "$TMP/$1" --batch --with-colons --list-keys 2>/dev/null | awk -F: '$1 == "pub" { p = 1 } $1 == "fpr" && p { printf "%s ", $10; p = 0 }')
  [ "$got" = "$3 " ] || refuse "the key at $2 has the fingerprint ${got:-(none) }instead of $3: nothing was installed from there"
  gpg --homedir "$TMP/$1" --batch --armor --export | put_file "/usr/share/keyrings/meshboot-$1.asc" 644
  echo "deb [signed-by=/usr/share/keyrings/meshboot-$1.asc] $4" | put_file "/etc/apt/sources.list.d/meshboot-$1.list" 644
}

# --- up, step 2: the network, ZeroTier itself ---

# A first boot may be ahead of its network. Nothing is asked of a server that has its lease.
wait_for_network() {
  STEP=network
  tries=0
  # Without curl apt has to find the network.
  if dry || ! has curl; then
    return 0
  fi
  until curl -gsS -o /dev/null --max-time 10 "$URL/healthz" </dev/null 2>"$TMP/curl"; do
    tries=$((tries + 1))
    why="$URL does not answer ($(head -n 1 "$TMP/curl"))"
    [ $tries -lt 10 ] || fail "$why: check this server's network and DNS, the Worker, and URL in $CONF"
    say "$why: tries again, $tries of 10"
    sleep $tries
  done
}

install_zerotier() {
  STEP=zerotier
  if ! has zerotier-one; then
    suite=$CODENAME
    at=$ZEROTIER_REPOSITORY
    # A release newer than ZeroTier's repository takes the newest suite that is there; its package works.
    if ! dry && ! curl -gfsL -o /dev/null --max-time 30 "$at/debian/$suite/dists/$suite/InRelease"; then
      case $ID in
      debian) suite=bookworm ;;
      *) suite=noble ;;
      esac
    fi
    add_repository zerotier "$at/contact%40zerotier.com.gpg" "$ZEROTIER_FINGERPRINT" "$at/debian/$suite $suite main"
    install zerotier-one
  fi
  [ -e "$R/dev/net/tun" ] || run modprobe tun || warn 'there is no /dev/net/tun, which ZeroTier needs'
  is_running zerotier-one || run systemctl enable --now zerotier-one.service
  tries=0
  until dry || { [ -s "$ZT/identity.secret" ] && [ -s "$ZT/identity.public" ]; }; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] || fail 'zerotier-one makes no identity: see journalctl -u zerotier-one'
    sleep 1
  done
}

# --- up, step 3: talking with the Worker, enrolment ---

# The secret goes to curl by standard input, so that no process list shows it.
call() { # METHOD PATH SECRET-FILE BODY-FILE: sets HTTP; the answer is in $TMP
  secret=$(head -n 1 "$3" 2>/dev/null) || secret=''
  case ${secret#mb[kn]_} in
  "$secret" | '' | *[!A-Za-z0-9_-]*) refuse "${3#"$R"} holds no key (mbk_... or mbn_...)" ;;
  esac
  rm -f "$TMP/answer" "$TMP/headers"
  : >"$TMP/curl"
  HTTP=$(echo "header = \"Authorization: Bearer $secret\"" | curl -K - -gsS --connect-timeout 15 --max-time 60 --max-filesize 65536 \
    -X "$1" -H 'Accept: text/plain' -H 'Content-Type: application/json' --data-binary "@$4" \
    -D "$TMP/headers" -o "$TMP/answer" -w '%{http_code}' "$URL$2" 2>"$TMP/curl") || HTTP=000
}

field() { # answer|headers NAME-AND-SEPARATOR
  read_file "$TMP/$1" | tr -d '\r' | sed -n "s/^$2 *//p" | head -n 1 | tr -cd '\40-\176' | cut -c 1-500
}

the_problem() {
  if [ "$HTTP" = 000 ]; then
    echo "$URL does not answer ($(head -n 1 "$TMP/curl"))"
  else
    echo "$URL says $HTTP $(field answer TYPE=): $(field answer DETAIL=)"
  fi
}

facts() {
  printf '{"agent":"%s","os":"%s","docker":"%s","zerotier":"%s"}' $VERSION "${OS% *}" \
    "$(dockerd --version 2>/dev/null | sed 's/^Docker version //; s/,.*//' | tr -cd 'A-Za-z0-9.+~-')" \
    "$(zerotier-cli -v 2>/dev/null | tr -cd 0-9.)"
}

# The name to ask for: the setting, or the host name's first label made a DNS label.
wanted_name() {
  if [ -n "$NAME" ]; then
    echo "$NAME"
  else
    label=$(uname -n | sed 's/\..*//' | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9\n' - | sed 's/^-//' | cut -c 1-63 | sed 's/-$//')
    echo "${label:-server}"
  fi
}

ask_enrolment() { # OFFSET of the clock, in seconds
  now=$(($(date +%s) + $1))
  [ -s "$R/etc/machine-id" ] || fail '/etc/machine-id is empty: systemd-machine-id-setup makes one'
  machine=$(tr -d '\n' <"$R/etc/machine-id" | sha256sum | cut -c 1-64)
  identity=$(tr -cd 0-9a-f: <"$ZT/identity.public")
  node=${identity%%:*}
  printf '%s\n' meshboot-enroll-v1 "$HOST" "$node" "$as" "$machine" $now >"$TMP/proof"
  signature=$(zerotier-idtool sign "$ZT/identity.secret" "$TMP/proof" | tr -cd 0-9a-f)
  [ ${#signature} = 192 ] || fail 'zerotier-idtool sign gives no signature'
  prefixes=$(host_networks | awk -v own="$SUBNET4" "$AWK_IP"'
    $2 !~ /^zt/ && !($2 ~ /^br-/ && inside($1, own)) && !seen[$1]++ && n++ < 99 { printf "%s\"%s\"", (n > 1 ? "," : ""), $1 }')
  printf '{"identity":"%s","name":"%s","machineId":"%s","timestamp":%s,"signature":"%s","localPrefixes":[%s],"facts":%s}' \
    "$identity" "$as" "$machine" $now "$signature" "$prefixes" "$(facts)" >"$TMP/body"
  call POST /v1/enroll "$ETC/key" "$TMP/body"
}

# A first boot has no NTP yet: the Worker's Date tells the time.
ask_with_the_workers_time() {
  there=$(date -d "$(field headers '[Dd]ate:')" +%s 2>/dev/null) || there=''
  if [ -n "$there" ]; then
    offset=$((there - $(date +%s)))
    say "this clock is $offset s off: signs with the Worker's time"
    ask_enrolment $offset
  fi
}

# For the service, which waits that long before its next attempt. A date instead of seconds is not minded.
keep_retry_after() {
  seconds=$(field headers '[Rr]etry-[Aa]fter:')
  case $seconds in
  '' | 0* | *[!0-9]* | ?????*) : >"$RUN/after" ;;
  *) echo "$seconds" >"$RUN/after" ;;
  esac
}

# A saved lease carries on when the Worker cannot be asked, or does not want to.
not_enrolled() { # fail|refuse WHY
  has_lease || "$1" "$2"
  warn "$2. The saved lease stays"
}

enrol() {
  STEP=enrol
  if [ ! -s "$ETC/key" ]; then
    has_lease || refuse 'there is neither a lease nor a key in /etc/meshboot/key: make one at the Worker (POST /v1/keys) and write it there'
    return 0
  fi
  as=$(wanted_name)
  say "asks $URL for a lease as $as"
  if dry; then
    if has_lease; then
      return 0
    fi
    say 'the rest is as the lease says: local.conf, join, sysctls, rules, routes, dockerd, report'
    exit 0
  fi
  ask_enrolment 0
  case $HTTP$(field answer TYPE=) in
  422*/clock-skew) ask_with_the_workers_time ;;
  esac
  case $HTTP in
  200) save_lease ;;
  202) not_enrolled fail "$node ($as) waits for approval at the Worker" ;;
  000 | 429 | 5*)
    keep_retry_after
    not_enrolled fail "$(the_problem)"
    ;;
  *) not_enrolled refuse "$(the_problem). Mend that or put a new key into /etc/meshboot/key" ;;
  esac
}

# First the lease, then the token, last the key away: a kill in between only enrols again, for the same lease.
save_lease() {
  old_network=${L_NETWORK:-}
  use_lease "$TMP/answer" || fail "the Worker's answer is no sound lease: $REASON"
  [ "$NODE" = "$node" ] || fail "the Worker's answer is a lease for $NODE, not for $node"
  [ -n "$L_TOKEN" ] || fail "the Worker's answer has no token"
  case $old_network in
  '' | "$L_NETWORK") ;;
  *) refuse "the Worker leases in network $L_NETWORK, and this server is in $old_network: meshboot down first" ;;
  esac
  make_state
  store_lease
  echo "$L_TOKEN" | put_file /var/lib/meshboot/token 600
  rm -f "$ETC/key"
  say "slot $L_SLOT: $L_ZEROTIER_IPV4, $SUBNET4, $SUBNET6"
}

store_lease() {
  grep -E '^[A-Z0-9_]+=' "$TMP/answer" | grep -v '^TOKEN=' | put_file /var/lib/meshboot/lease 600
}

# --- up, steps 4 and 5: ZeroTier's settings and membership ---

# Adds ours to the user's local.conf. On standard output the whole, or nothing when that cannot be done.
merged_local_conf() { # THEIRS OURS
  python3 - "$1" "$2" 2>/dev/null <<'EOF' || :
import json, sys
conf, ours = map(json.loads, sys.argv[1:])
key = "interfacePrefixBlacklist"
ours["settings"][key] = sorted({*ours["settings"][key], *conf.get("settings", {}).get(key, [])})
for key in ours: conf[key] = {**conf.get(key, {}), **ours[key]}
print(json.dumps(conf))
EOF
}

# Off docker's bridges, and no ZeroTier packets through the mesh. zerotier-one reads a changed local.conf within 10 s.
configure_zerotier() {
  STEP=local.conf
  ours="{\"settings\":{\"interfacePrefixBlacklist\":[\"docker\",\"br-\",\"veth\"]},\"physical\":{$(echo "$MESH" | sed 's/[^,]*/"&":{"blacklist":true}/g')}}"
  theirs=$(read_file "$ZT/local.conf")
  if [ "${theirs:-$ours}" = "$ours" ]; then
    conf=$ours
  else
    conf=$(merged_local_conf "$theirs" "$ours")
  fi
  if [ -n "$conf" ]; then
    echo "$conf" | put_file /var/lib/zerotier-one/local.conf 644
  else
    warn 'local.conf is yours and cannot be merged (no python3, or not JSON): add docker, br-, veth to its interfacePrefixBlacklist'
  fi
  # A restart makes the mesh's interface anew, without our routes.
  put_file $UNITS/zerotier-one.service.d/50-meshboot.conf 644 <<'EOF'
[Service]
ExecStartPost=-+/bin/sh -c 'mkdir -p /run/meshboot; : >/run/meshboot/again; systemctl start --no-block meshboot.service'
EOF
  reload_unit zerotier-one
}

# ZT_STATUS (empty: not joined) and ZT_DEV. Counted from the end: a network's name may hold blanks.
look_at_network() {
  ZT_STATUS=''
  ZT_DEV=''
  IFS=' ' read -r ZT_STATUS ZT_DEV <<EOF || :
$(zerotier-cli listnetworks 2>/dev/null | awk -v n="$L_NETWORK" '$3 == n { print $(NF - 3), $(NF - 1) }')
EOF
  case $ZT_STATUS in *[!A-Z_]*) ZT_STATUS='' ;; esac
  # 15 characters is what the kernel takes.
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

has_address() {
  [ -n "$ZT_DEV" ] && ip -o -4 addr show dev "$ZT_DEV" 2>/dev/null | grep -qF " $L_ZEROTIER_IPV4 "
}

join_network() {
  STEP='join'
  limits=/var/lib/zerotier-one/networks.d/$L_NETWORK.local.conf
  joined="$ZT/networks.d/$L_NETWORK.conf"
  # Joined by hand, before us: `down` is not to leave it. What we join ourselves has its limits listed first.
  if [ -e "$joined" ] && ! is_listed "$limits" && [ ! -e "$STATE/joined" ]; then
    say "$L_NETWORK was joined before: down will not leave it"
    run touch "$STATE/joined"
  fi
  if [ ! -e "$joined" ]; then
    limit_network
    run zerotier-cli join "$L_NETWORK" >/dev/null
    # The join has written its defaults over it; what was read before stays in force.
    limit_network
  elif ! grep -qsxF "allowManaged=$MESH" "$R$limits"; then
    limit_network
    say 'restarts zerotier-one, which reads only then what a network may set'
    run systemctl restart zerotier-one.service
    # This restart is our own: no further `up` for it.
    run rm -f "$RUN/again"
  fi
  tries=0
  while look_at_network; do
    case $ZT_STATUS in
    OK | REQUESTING_CONFIGURATION)
      if has_address; then
        break
      fi
      ;;
    esac
    if dry; then
      return 0
    fi
    tries=$((tries + 1))
    [ $tries -lt 90 ] || fail "no $L_ZEROTIER_IPV4 from network $L_NETWORK, status ${ZT_STATUS:-none}: is $NODE authorized, /dev/net/tun there, UDP 9993 open?"
    if [ $tries = 10 ]; then
      say "still waits for $L_ZEROTIER_IPV4, status ${ZT_STATUS:-none}"
    fi
    sleep 1
  done
  DEV=$ZT_DEV
  echo "$DEV" | put_file /var/lib/meshboot/interface 600
}

# --- up, step 6: sysctls ---

# Interfaces that live on router advertisements: a default route or an address from there, or our own file says so.
advertised_interfaces() {
  # With several routers the devices stand in lines of their own, below the one that says `proto ra`.
  ip -6 route show default 2>/dev/null | awk '
    $1 == "default" { advertised = / proto ra( |$)/ }
    advertised { for (i = 1; i < NF; i++) if ($i == "dev") print $(i + 1) }'
  ip -6 -o addr show scope global dynamic 2>/dev/null | awk '{ print $2 }'
  read_file "$R$SYSCTL" | sed -n 's|^net/ipv6/conf/\(.*\)/accept_ra=2$|\1|p'
}

# accept_ra=2 first: with 1, forwarding makes the kernel drop the default route that it has from router advertisements.
# With 0 something else (networkd) minds them.
sysctl_lines() {
  if [ "$IPV6" = on ]; then
    advertised_interfaces | sort -u | while read -r dev; do
      case $(read_file "$R/proc/sys/net/ipv6/conf/$dev/accept_ra") in
      1 | 2) echo "net/ipv6/conf/$dev/accept_ra=2" ;;
      esac
    done
  fi
  echo net/ipv4/ip_forward=1
  if [ "$IPV6" = on ]; then
    printf 'net/ipv6/conf/%s=1\n' default/forwarding all/forwarding default/proxy_ndp all/proxy_ndp
  fi
}

set_sysctl() { # KEY VALUE
  (echo "$2" >"$R/proc/sys/$1") 2>/dev/null || warn "$1 cannot be set"
}

# The values of before us are kept first: after a reboot, with our file there, they would not be seen any more.
apply_sysctls() {
  STEP=sysctls
  lines=$(sysctl_lines)
  changes=$(echo "$lines" | while IFS='=' read -r key value; do
    have=$(read_file "$R/proc/sys/$key")
    if [ -n "$have" ] && [ "$have" != "$value" ]; then
      echo "$key=$value=$have"
    fi
  done)
  if ! dry; then
    echo "$changes" | while IFS='=' read -r key value have; do
      if [ -n "$key" ] && ! grep -qsF "$key=" "$STATE/sysctls"; then
        echo "$key=$have" >>"$STATE/sysctls"
      fi
    done
  fi
  echo "$lines" | put_file $SYSCTL 644
  echo "$changes" | while IFS='=' read -r key value have; do
    if [ -n "$key" ]; then
      say "$key: $have, now $value"
      dry || set_sysctl "$key" "$value"
    fi
  done
}

# In reverse order: forwarding goes before accept_ra does.
restore_sysctls() {
  read_file "$STATE/sysctls" | sed '1!G;h;$!d' | while IFS='=' read -r key value; do
    set_sysctl "$key" "$value"
  done
}

# --- up, step 7: firewall rules ---

# pre: the mesh, and nothing else, may speak to a container's own address.
#
# out: a packet to an address of the lease that no container has must not leave by the default route. `unreachable` routes
# for the lease would do that too, but dockerd 20.10 takes no subnet that any route covers, not even such a one; so it is a
# rule, which sees by the next hop that the packet is not for a bridge of this host. With IPV6NAT=off nothing hides a ULA,
# so it must not leave either.
#
# post: a null SNAT one step before Docker's chain keeps the true source on the mesh: the first mapping of a connection
# wins. A RETURN in Docker's own chain would be lost at its next restart.
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
EOF
  if [ "$IPV6NAT" = off ]; then
    echo "ip6 saddr $SUBNET6 oifname != { \"$DEV\", \"docker0\" } oifname != \"br-*\" drop"
  fi
  cat <<EOF
}
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
    iptables -w -t "${place%:*}" "$1" "${place#*:}" -i "$2" -d "$3" -j ACCEPT || rc=1
    if [ "$IPV6" = on ]; then
      ip6tables -w -t "${place%:*}" "$1" "${place#*:}" -i "$2" -d "$4" -j ACCEPT || rc=1
    fi
  done
  return $rc
}

has_mesh_accepts() {
  mesh_accepts -C "$DEV" "$SUBNET4" "$SUBNET6" 2>/dev/null
}

# What is loaded must be what was loaded, and that the rules of this lease.
rules_print() {
  printf '%s\n' "$rules" "$(nft -s list table inet meshboot 2>/dev/null)"
}

# What `down` has to leave as it was: the tables, and the policy of an ip6tables that Docker did not use.
remember_firewall() {
  if [ -e "$STATE/tables" ]; then
    return 0
  fi
  ip6tables -w -S >"$TMP/rules6" 2>/dev/null || :
  if ! grep -q DOCKER "$TMP/rules6"; then
    sed -n '/^-P FORWARD /p' "$TMP/rules6" >"$STATE/forward6"
  fi
  nft list tables >"$TMP/tables" || fail 'nft does not work on this kernel'
  mv "$TMP/tables" "$STATE/tables"
}

load_rules() {
  STEP=rules
  [ -n "$DEV" ] || dry || fail "the mesh's interface is not known yet: meshboot up"
  rules=$(rules_text)
  mine="$DEV $SUBNET4 $SUBNET6"
  if ! dry; then
    remember_firewall
    [ "$(read_file "$STATE/rules")" = "$mine" ] || unload_rules
  fi
  echo "$mine" | put_file /var/lib/meshboot/rules 600
  if [ "$(rules_print)" != "$(read_file "$RUN/nft")" ]; then
    say 'loads nft table inet meshboot'
    if ! dry; then
      # One transaction: there is no moment without the rules.
      printf '%s\n' 'table inet meshboot' 'delete table inet meshboot' "$rules" | nft -f - 2>"$TMP/nft" ||
        fail "nft does not take the rules: $(head -n 1 "$TMP/nft")"
      rules_print >"$RUN/nft"
    fi
  fi
  if ! has_mesh_accepts; then
    say 'adds accepts for the mesh to iptables and ip6tables'
    if dry; then
      return 0
    fi
    # Docker keeps a chain that is already there.
    for tool in iptables ip6tables; do
      $tool -w -N DOCKER-USER 2>/dev/null || :
    done
    # shellcheck disable=SC2086 # device and subnets, three words
    mesh_accepts -D $mine 2>/dev/null || :
    # shellcheck disable=SC2086 # as above
    mesh_accepts -I $mine 2>"$TMP/iptables" || fail "iptables does not take the rules: $(head -n 1 "$TMP/iptables")"
  fi
}

unload_rules() {
  [ -s "$STATE/rules" ] || return 0
  # shellcheck disable=SC2046 # device and subnets, three words
  mesh_accepts -D $(cat "$STATE/rules") 2>/dev/null || :
  nft delete table inet meshboot 2>/dev/null || :
  rm -f "$RUN/nft"
  for tool in iptables ip6tables; do
    if [ "$($tool -w -S DOCKER-USER 2>/dev/null)" = '-N DOCKER-USER' ]; then
      $tool -w -X DOCKER-USER 2>/dev/null || :
    fi
  done
}

# Docker's IPv6 rules go when there were none before us. Rules for bridges are told from the user's by the 12 digits.
sweep_ip6tables() {
  before=$(read_file "$STATE/forward6")
  case $before in
  '-P FORWARD '*)
    ip6tables-save 2>/dev/null | awk -v policy="${before##* }" '
      BEGIN { hex = "[0-9a-f][0-9a-f][0-9a-f][0-9a-f]"; bridge = "-[io] br-" hex hex hex "( |$)" }
      /DOCKER/ || /-[io] docker0( |$)/ || $0 ~ bridge { next }
      /^:FORWARD / { $2 = policy }
      { print }' | ip6tables-restore || :
    ;;
  esac
}

# What dockerd and iptables leave behind: Docker's IPv6 rules, and empty tables that were not there.
sweep_firewall() {
  [ -e "$STATE/tables" ] || return 0
  sweep_ip6tables
  for name in 'ip raw' 'ip nat' 'ip filter' 'ip6 raw' 'ip6 nat' 'ip6 filter'; do
    if grep -qxF "table $name" "$STATE/tables"; then
      continue
    fi
    # shellcheck disable=SC2086 # family and table, two words
    listing=$(nft list table $name 2>/dev/null) || continue
    if ! echo "$listing" | grep -qvE '^#|^table |policy accept;$|^[[:space:]]*(chain .*|\})?$'; then
      # shellcheck disable=SC2086 # as above
      nft delete table $name 2>/dev/null || :
    fi
  done
}

# --- up, step 8: routes ---

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
    say "changes $(wc -l <"$TMP/routes") routes on $DEV"
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

# --- up, step 9: dockerd ---

# docker.service's files as arguments, in systemd's order: `file command` of the ExecStart that wins.
exec_start() { # FILE...
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
  host_networks | pool_awk '
    $2 !~ /^br-/ { used[u++] = $1 }
    END {
      used[u++] = zt
      used[u++] = pool
      for (i = 17; i < 50 && k < 2; i++) {
        t = (i < 32 ? "172." i : i == 32 ? "192.168" : "10." (i + 170)) ".0.0/16"
        for (j = 0; j < u && !overlap(t, used[j]); j++);
        if (j == u) { print t; k++ }
      }
    }'
}

docker_options() {
  echo "--bip=$BIP --fixed-cidr=$LOWER"
  if [ "$IPV6" = on ]; then
    echo "--ipv6 --fixed-cidr-v6=$NET6::/81"
  fi
  echo "--default-address-pool=base=$UPPER"
  if [ "$IPV6" = on ]; then
    echo "--default-address-pool=base=$NET6:8000::/81,size=96"
  fi
  read_file "$STATE/pools" | sed 's/.*/--default-address-pool=base=&,size=24/'
  nat_options
}

docker_packages() {
  if [ "$DOCKER" = official ]; then
    at=https://download.docker.com/linux/$ID
    add_repository docker "$at/gpg" 9DC858229FC7DD38854AE2D88D81803C0EBFCD88 "$at $CODENAME stable"
    packages='docker-ce docker-ce-cli containerd.io apparmor'
  else
    packages='docker.io apparmor'
    # From Debian 13 on the command is a package of its own, and only recommended.
    case $OS in 'debian 13'*) packages="$packages docker-cli" ;; esac
  fi
}

compose_package() {
  case $DOCKER$ID in
  official*) echo docker-compose-plugin ;;
  *ubuntu) echo docker-compose-v2 ;;
  *) echo docker-compose ;;
  esac
}

install_docker() {
  if [ "$DOCKER" = present ]; then
    return 0
  fi
  packages=''
  if ! has dockerd; then
    docker_packages
    # Masked while it is installed, so that its first start already has our options.
    run touch "$RUN/masked"
    run systemctl -q mask --runtime docker.service docker.socket
  fi
  if [ "$COMPOSE" = on ] && ! has docker-compose && ! docker compose version >/dev/null 2>&1; then
    packages="$packages $(compose_package)"
  fi
  if [ -n "$packages" ]; then
    # shellcheck disable=SC2086 # package names, one word each
    install $packages
  fi
}

# docker.service's files but for ours, in systemd's order.
docker_unit_files() {
  for file in $(unit_value docker FragmentPath) $(unit_value docker DropInPaths); do
    case $file in
    *-meshboot.conf) ;;
    *) echo "$R$file" ;;
    esac
  done
}

write_docker_files() {
  # shellcheck disable=SC2046 # paths of units hold no blanks
  start=$(exec_start $(docker_unit_files) </dev/null)
  from=${start%% *}
  from=${from##*/}
  start=${start#* }
  [ -n "$start" ] || fail 'docker.service has no ExecStart: see systemctl cat docker.service'
  # systemd reads drop-ins by name. Behind one of the user's own that would win over 50-meshboot.conf, ours is called zz.
  name=50-meshboot.conf
  other=zz-50-meshboot.conf
  if [ "$from" != docker.service ] && [ "$(printf '%s\n' "$from" $name | sort | head -n 1)" = $name ]; then
    name=zz-50-meshboot.conf
    other=50-meshboot.conf
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

our_options() {
  read_file "$ETC/dockerd.env" | sed -n 's/^MESHBOOT_OPTIONS="\(.*\)"$/\1/p'
}

docker_has_options() {
  [ -n "$options" ] || return 1
  case $(read_file "$R/proc/$(unit_value docker MainPID)/cmdline" | tr '\0' ' ') in
  *" $options "*) return 0 ;;
  *) return 1 ;;
  esac
}

# Not one that somebody disabled, nor one that somebody stopped after it had its options: neither is ours to start.
is_docker_to_start() {
  if [ -e "$RUN/masked" ]; then
    return 0
  fi
  case $(systemctl is-enabled docker.service 2>/dev/null) in disabled | masked*) return 1 ;; esac
  [ ! -s "$STATE/docker0" ] || [ "$(systemctl is-active docker.service 2>/dev/null)" = failed ]
}

# Debian's unit allows three starts a minute: those of ours do not count.
start_docker() {
  systemctl reset-failed docker.service 2>/dev/null || :
  systemctl restart docker.service
}

configure_docker() {
  STEP=dockerd
  install_docker
  if [ -e "$RUN/masked" ]; then
    run systemctl -q unmask --runtime docker.service docker.socket
    # The package enables its units when it is installed, but not masked ones: without this dockerd stays down after a reboot.
    if has dockerd; then
      run systemctl -q enable docker.service docker.socket
    fi
  fi
  if ! has dockerd; then
    say "no dockerd yet (DOCKER=$DOCKER): it gets its options as soon as it is there"
    return 0
  fi
  check_daemon_json
  reload_unit docker
  write_docker_files
  reload_unit docker
  if is_running docker; then
    if docker_has_options; then
      return 0
    fi
    say "restarts dockerd, $(docker ps -q 2>/dev/null | wc -l) containers running"
  elif ! is_docker_to_start; then
    say 'docker.service is disabled or stopped: it has its options, and is not started'
    return 0
  fi
  # Where `down` brings docker0 back to.
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
    if [ -s "$STATE/docker0" ]; then
      echo "MESHBOOT_OPTIONS=\"--bip=$(read_file "$STATE/docker0")\"" | put_file /etc/meshboot/dockerd.env 644
      start_docker || :
    fi
    systemctl stop docker.socket docker.service || :
    if [ -z "$(ls "$R/sys/class/net/docker0/brif" 2>/dev/null)" ]; then
      ip link del docker0 2>/dev/null || :
    fi
  fi
  drop_files docker
  systemctl daemon-reload
}

# --- up, step 10: report ---

# The last lines of the log as the inside of a JSON string.
log_as_json() {
  read_file "$RUN/log" | tail -c 3500 | tr -cd '\n\40-\176' | sed 's/[\\"]/\\&/g' | awk '{ printf "%s\\n", $0 }'
}

heartbeat() { # ok|failed [STEP]
  [ -s "$STATE/token" ] || return 0
  lines=''
  if [ -n "${2:-}" ]; then
    lines=",\"step\":\"$2\",\"log\":\"$(log_as_json)\""
  fi
  printf %s "{\"state\":\"$1\"$lines,\"facts\":$(facts)}" >"$TMP/body"
  call POST "/v1/nodes/$NODE/heartbeat" "$STATE/token" "$TMP/body"
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $HTTP" >"$RUN/reported"
}

# Takes the lease as it is now; a changed one is applied by the next `up`, which the service starts at once.
take_reported_lease() {
  mine="$NODE $L_NETWORK"
  applied="$MESH $L_ZEROTIER_IPV4"
  if use_lease "$TMP/answer" && [ "$NODE $L_NETWORK" = "$mine" ]; then
    store_lease
    if [ "$applied" != "$MESH $L_ZEROTIER_IPV4" ]; then
      : >"$RUN/again"
      warn 'the lease has changed: meshboot up applies it'
    fi
  else
    warn "the Worker's answer is not this node's lease, and is not taken"
  fi
  use_saved_lease
}

# A Worker that does not answer is no failure: what runs keeps running.
report() {
  STEP=report
  say "reports to $URL"
  if dry; then
    return 0
  fi
  heartbeat ok
  case $HTTP in
  200) take_reported_lease ;;
  4*) warn "$(the_problem). Mend that or put a new key into /etc/meshboot/key" ;;
  *) warn "$(the_problem). Reports again within the hour" ;;
  esac
}

# --- the verbs ---

set_up() {
  TMP=$(mktemp -d)
  trap leave EXIT
  trap 'exit 143' TERM INT
  if ! dry; then
    mkdir -p "$RUN"
    # The log is for root alone.
    chmod 700 "$RUN"
  fi
}

# A stop by a signal is no failure to report.
leave() {
  rc=$?
  trap - EXIT
  set +e
  case $rc in
  0 | 143) ;;
  *)
    if [ "$LOG" != /dev/null ]; then
      echo "$STEP" >"$RUN/failed"
      if [ -n "$NODE" ]; then
        (heartbeat failed "$STEP") >/dev/null 2>&1
      fi
    fi
    ;;
  esac
  rm -rf "$TMP"
  exit $rc
}

lock() {
  exec 9>"$RUN/lock"
  if ! flock -n 9; then
    say 'waits for another meshboot to finish'
    flock 9
  fi
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
  if has_lease; then
    use_saved_lease
  fi
  check_system
  finish_interrupted_install
  if ! has_lease; then
    wait_for_network
  fi
  install_tools
  if has_lease; then
    check_overlap
  fi
  install_zerotier
  enrol
  check_pool_size
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

# Sleeps that many seconds, and up to as many again: servers ordered together shall not come back together. Ends when
# zerotier-one has restarted, which makes the interface anew.
sleep_about() { # SECONDS
  left=$(($1 + $(od -An -N2 -tu2 /dev/urandom) % ($1 + 1)))
  while [ $left -gt 0 ] && [ ! -e "$RUN/again" ]; do
    sleep 5
    left=$((left - 5))
  done
}

# For the service. Each attempt is a process of its own; $RUN/again asks for one more, a few times at once and then slowly:
# whatever asks without end must not restart dockerd without end.
retry_up() {
  mkdir -p "$RUN"
  delay=5
  repeats=0
  while rm -f "$RUN/again" "$RUN/after"; do
    rc=0
    "$0" up || rc=$?
    case $rc in
    0)
      if [ ! -e "$RUN/again" ]; then
        exit 0
      fi
      repeats=$((repeats + 1))
      if [ $repeats -gt 3 ]; then
        sleep 300
      fi
      ;;
    3) sleep_about 1800 ;;
    *)
      after=$(read_file "$RUN/after")
      sleep_about "${after:-$delay}"
      delay=$((delay < 150 ? delay * 2 : 300))
      ;;
    esac
  done
}

give_lease_back() {
  read_settings
  call DELETE "/v1/nodes/$NODE" "$STATE/token" /dev/null
  case $HTTP in
  2*) say 'gives the lease back' ;;
  *) fail "$(the_problem). Without --release all is undone and the lease kept" ;;
  esac
}

leave_network() {
  say "leaves network $L_NETWORK"
  if ! zerotier-cli leave "$L_NETWORK" >/dev/null 2>&1; then
    # Without the daemon, that it is a member is this file and nothing else.
    rm -f "$ZT/networks.d/$L_NETWORK.conf"
  fi
}

# Each part bears that its step was never reached, or that it was undone already: `down` may follow half an `up`, or half
# a `down`.
down() { # [release]
  set_up
  systemctl disable --now meshboot.timer meshboot.service 2>/dev/null || :
  lock
  STEP=down
  if has_lease; then
    if use_lease "$STATE/lease"; then
      if [ -n "$1" ]; then
        give_lease_back
      fi
      drop_routes
    else
      warn "/var/lib/meshboot/lease is not sound: $REASON. The network is not left; zerotier-cli leave does that"
      NODE=''
    fi
  fi
  stop_docker
  # With dockerd stopped: it sets some of them itself, also for a network that it remembers.
  restore_sysctls
  unload_rules
  sweep_firewall
  if $restart; then
    start_docker || warn 'dockerd does not start: see journalctl -u docker'
  fi
  if [ -n "$NODE" ] && [ ! -e "$STATE/joined" ]; then
    leave_network
  fi
  drop_files .
  systemctl daemon-reload
  if [ -e "$STATE/joined" ]; then
    say "stays in network ${L_NETWORK:-}, which was joined before: restarts zerotier-one, which reads its settings only then"
    systemctl restart zerotier-one.service || warn 'zerotier-one does not start: see journalctl -u zerotier-one'
  fi
  rm -rf "$STATE" "$RUN"
  LOG=/dev/null
  say 'undone, but for packages. To come back: a key in /etc/meshboot/key, then systemctl enable --now meshboot.service meshboot.timer'
}

# `key value` lines; the keys are those of --json.
status_lines() {
  cat <<EOF
node $NODE
name $L_NAME
slot $L_SLOT
state $L_STATE
network $L_NETWORK
zerotier ${ZT_STATUS:-NOT_JOINED}
interface $DEV
zerotierIpv4 $L_ZEROTIER_IPV4
dockerIpv4 $SUBNET4
dockerIpv6 $SUBNET6
docker $(systemctl is-active docker.service 2>/dev/null || :)
dockerOptions $options
dockerOptionsInForce $(true_or_false docker_has_options)
routes $(our_routes | grep -c "metric $ROUTE_METRIC" || :)
routesExpected $((SLOTS - 1))
rules $(true_or_false has_mesh_accepts)
failedStep $(read_file "$RUN/failed")
lastReport $(read_file "$RUN/reported")
agent $VERSION
EOF
}

status() { # [json]
  use_saved_lease
  look_at_network
  options=$(our_options)
  status_lines | awk -v json="$1" '
    {
      key = $1
      value = substr($0, length(key) + 2)
    }
    !json { printf "%-22s%s\n", key, value; next }
    {
      if (key !~ /^(slot|routes|routesExpected|rules|dockerOptionsInForce)$/) {
        gsub(/[\\"]/, "\\\\&", value)
        value = "\"" value "\""
      }
      printf "%s\"%s\":%s", (NR > 1 ? "," : "{"), key, value
    }
    END { if (json) print "}" }'
}

send_heartbeat() {
  set_up
  read_settings
  use_saved_lease
  check_system
  STEP=heartbeat
  [ -s "$STATE/token" ] || refuse 'there is no token: meshboot up, with a key in /etc/meshboot/key'
  if [ -s "$RUN/failed" ]; then
    heartbeat failed "$(cat "$RUN/failed")"
  else
    heartbeat ok
  fi
  [ "$HTTP" = 200 ] || fail "$(the_problem)"
}

# dockerd waits for it. A setting that is wrong must not leave the containers without rules.
only_rules() {
  set_up
  IPV6NAT=auto
  if (read_settings); then
    read_settings
  fi
  use_saved_lease
  if [ ! -d "$R/proc/sys/net/ipv6" ]; then
    IPV6=off
  fi
  load_rules
}

usage() {
  cat <<EOF
usage: meshboot VERB
up                enrol if there is a key, and apply the lease; what is in place is not touched
up --dry-run      print the plan, change nothing
up --retry        until it succeeds, with growing pauses (meshboot.service)
status [--json]   what is leased and what is in place
down [--release]  undo all that up did; --release also gives the lease back
heartbeat         report to the Worker
rules             load the firewall rules of the saved lease (docker.service calls it)
--help, --version
examples:
meshboot up --dry-run
meshboot status --json | jq .routes
systemctl restart meshboot && journalctl -fu meshboot
exit codes: 0 done, 1 failed but worth a retry, 2 wrong usage, 3 refused: somebody has to change something
EOF
}

main() {
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  export PATH LC_ALL=C
  umask 022
  if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    RED=$(printf '\033[31m')
    PLAIN=$(printf '\033[0m')
  fi
  case "$*" in
  up) up ;;
  'up --dry-run')
    DRY='dry run: '
    up
    ;;
  'up --retry') retry_up ;;
  status) status '' ;;
  'status --json') status json ;;
  down) down '' ;;
  'down --release') down release ;;
  heartbeat) send_heartbeat ;;
  rules) only_rules ;;
  --version) echo "meshboot $VERSION" ;;
  --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
  esac
}

[ -n "${MESHBOOT_SOURCE:-}" ] || main "$@"
