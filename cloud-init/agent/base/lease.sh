# The lease: KEY=value lines into variables L_KEY, and what follows from them; and the other nodes that the Worker names.

has_lease() {
  [ -s "$STATE/lease" ]
}

# awk over the lease's numbers: zt and pool are the ranges, p the length of a node's prefix and s its size, n the slot and
# top the highest, at the ZeroTier address, own the subnet.
pool_awk() { # PROGRAM [-v NAME=VALUE]...
  program=$1
  shift
  awk -v zt="$L_POOL_ZEROTIER" -v pool="$L_POOL_DOCKER" -v p="$L_POOL_NODE_PREFIX" -v n="$L_SLOT" -v top="$SLOTS" \
    -v at="$L_ZEROTIER_IPV4" -v own="$SUBNET4" -v dev="$DEV" -v undo="$UNDO" -v metric=$ROUTE_METRIC "$@" \
    "$AWK_IP BEGIN { s = two(32 - p) } $program"
}

# Takes the lease's lines into L_KEY. Those of a later version, and those that follow from the others, are skipped.
read_lease() { # FILE
  L_NETWORK='' L_NODE='' L_NAME='' L_SLOT='' L_STATE='' L_ZEROTIER_IPV4='' L_DOCKER_IPV4_SUBNET=''
  L_POOL_ZEROTIER='' L_POOL_DOCKER='' L_POOL_NODE_PREFIX='' L_TOKEN='' L_CONTROLLER=''
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
    CONTROLLER) L_CONTROLLER=$value ;;
    *) continue ;;
    esac
    case $value in
    *[!A-Za-z0-9./_-]*)
      case $key in
      TOKEN) REASON='TOKEN has a character that no token has' ;;
      *) REASON="$key=$(printable "$value") has a character that does not belong there" ;;
      esac
      return 1
      ;;
    esac
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
  # 6PLANE: fc, the network's halves xored, the node.
  derived=$(printf 'fc%08x\n' $((0x${L_NETWORK%????????} ^ 0x${L_NETWORK#????????})) | pool_awk 'function bad(text) { print text; exit 1 }
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
  }
  { print top, txt(lower + 1), txt(lower) half, txt(lower + s / 2) half, (p < 28 ? 28 : 29), $1, six($1 node), six_prefix($1 node) "::/80", six_prefix($1 "00") "::/40" }' -v node="$NODE") || {
    REASON=$derived
    return 1
  }
  IFS=' ' read -r SLOTS GATEWAY4 LOWER UPPER PIECE SIX NET6 SUBNET6 MESH6 <<EOF
$derived
EOF
  MESH=$L_POOL_ZEROTIER,$L_POOL_DOCKER,$MESH6
  read_line "$STATE/interface"
  DEV=$LINE
}

use_saved_lease() {
  has_lease || refuse 'there is no lease: meshboot up'
  use_lease "$STATE/lease" || fail "/var/lib/meshboot/lease is not sound: $REASON"
  has_ipv6 || IPV6=off
}

# Whom the Worker names: the peers, and whom to probe.
store_peers() {
  awk -v to_probe="$RUN/to-probe" 'sub(/^PEERS=/, "") {
    for (i = 1; i <= NF && n < 8; i++) if (split($i, part, ":") == 3 && $i ~ /^[1-9][0-9]*:[0-9a-f]+:[a-z0-9-]+$/ && length(part[1]) < 9 && length(part[2]) == 10 && length(part[3]) < 64) {
      print $i
      n++
    }
  }
  sub(/^PROBE=/, "") {
    for (i = 1; i <= NF && i <= 32; i++) if ($i ~ /^[1-9][0-9]*:[0-9a-f]+$/ && split($i, part, ":") == 2 && length(part[1]) < 9 && length(part[2]) == 10) list = list $i " "
    if (list != "") print list >to_probe
  }' "$TMP/answer" >"$TMP/peers"
  cmp -s "$TMP/peers" "$STATE/peers" || put_file /var/lib/meshboot/peers 600 <"$TMP/peers"
}

# Without what is different in each answer: a file that nothing changed is not written.
answered_lease() {
  sed -n '/^[A-Z0-9_][A-Z0-9_]*=/ { /^TOKEN=/d; /^RENEW_BEFORE=/d; /^PEERS=/d; /^HOSTS=/d; /^PROBE=/d; p; }' "$TMP/answer"
}

# By way of a file: a pipe does not say that what comes out of it was cut.
store_lease() {
  answered_lease >"$TMP/lease" || return 1
  put_file /var/lib/meshboot/lease 600 <"$TMP/lease"
}
