# What the host is attached to. A name with a colon in it is no device's: the kernel takes none.

# Docker's networks, `docker SUBNET DRIVER NAME`. Those of drivers that keep to namespaces of their own are not the host's. That
# dockerd has told them is noted: while it starts it tells none.
docker_networks() {
  # Asked while dockerd does not run, docker.socket would start it.
  if ! has docker || ! is_running docker; then
    return 0
  fi
  ids=$(timeout 20 docker network ls -q --filter driver=bridge --filter driver=macvlan --filter driver=ipvlan 2>/dev/null </dev/null) || return 0
  told=''
  # shellcheck disable=SC2016,SC2086 # a template of Docker's; ids, one word each
  if [ -z "$ids" ] || told=$(timeout 20 docker network inspect -f '{{$n := .Name}}{{$d := .Driver}}{{range .IPAM.Config}}{{println .Subnet $d $n}}{{end}}' $ids 2>/dev/null </dev/null); then
    : >"$TMP/docker-networks"
  fi
  [ -z "$told" ] ||
    printf '%s\n' "$told" | tr -cd 'A-Za-z0-9_./ \n-' | awk '$1 ~ /^[0-9.]+\/[0-9]+$/ && $3 != "bridge" { print "docker", $0 }'
}

# Where Docker's docker0 gets its addresses from us, it is ours, and no other network of the host.
our_docker0() {
  if [ "$LAYOUT" != compose ] || [ -n "$(docker0_before)" ]; then
    echo docker0
  fi
}

# IPv4 prefixes that the host uses, `prefix name`, from every routing table, and its name behind where that is not the main
# one: not the mesh, and not docker0 where that is ours. A network of Docker's is told by its subnet, since users name bridges
# as they like. A blackhole (or its like) is named by its kind, and ours does not count, nor a throw that only sends to the next
# table. Shorter than /8 is a default route in pieces, as VPNs set them (0.0.0.0/1 and 128.0.0.0/1): the mesh is always more specific.
host_networks() {
  [ "$LAYOUT" != compose ] || docker0_before | awk "$AWK_IP"'{ print net($1), "docker0" }'
  {
    docker_networks
    ip -o -4 addr show
    ip -4 route show table all
  } | awk -v mesh="${ZT_DEV:-$DEV}" -v moved="$(our_docker0)" -v guard="metric $GUARD_METRIC" "$AWK_IP"'
    $1 == "docker" { if ($3 == "bridge") docker[net($2)] = "docker:" $4; else print net($2), "docker:" $4; next }
    { p = d = table = "" }
    $3 == "inet" { p = $4; d = $2 }
    /^unreachable / && index($0, guard) { next }
    $1 ~ /^(blackhole|unreachable|prohibit|throw)$/ { d = ":" $1; $1 = ""; $0 = $0 }
    $3 != "inet" && $1 ~ /^[0-9]+\./ {
      p = $1
      for (i = 2; i < NF; i++) if ($i == "dev" && d == "") d = $(i + 1); else if ($i == "table") table = " " $(i + 1)
    }
    d == "" { d = ":route" }
    d == ":throw" && table != "" { next }
    p == "" || d == "lo" || d == moved || d == mesh || len(p) < 8 { next }
    table == "" && net(p) in docker { d = docker[net(p)] }
    !seen[net(p), d, table]++ { print net(p), d table }'
}

# What the host cannot do without and what need not lie in one of its prefixes: its own addresses, gateways and resolvers,
# `prefix kind device`.
host_lifelines() {
  {
    ip -o -4 addr show
    ip -4 route show table all
  } | awk -v mesh="${ZT_DEV:-$DEV}" -v moved="$(our_docker0)" '
    function found(address, kind, device) {
      if (address != "" && device != "lo" && device != moved && device != mesh && !seen[address, kind]++) print address "/32", kind, device
    }
    $3 == "inet" { sub(/\/.*/, "", $4); found($4, ":address", $2); next }
    {
      via = d = ""
      for (i = 1; i < NF; i++) if ($i == "via" && $(i + 1) ~ /^[0-9.]+$/) via = $(i + 1); else if ($i == "dev") d = $(i + 1)
      found(via, ":gateway", d)
    }'
  for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
    read_file "$R$file" | awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ && $2 !~ /^127[.]/ { print $2 "/32", ":resolver" }'
  done
}

# Both. Until the host is in the mesh, they are what `enrol` has just told the Worker, where it asked.
host_uses() {
  if [ -z "$DEV${ZT_DEV:-}" ] && [ -e "$TMP/host-networks" ]; then
    cat "$TMP/host-networks" "$TMP/host-lifelines"
  else
    host_networks
    host_lifelines
  fi
}

# What the kernel makes a device of: bridge, tun, wireguard, veth...; empty for a network card.
link_kind() { # DEVICE
  case $1 in *:*) return 0 ;; esac
  ip -d link show dev "$1" 2>/dev/null | awk '
    NR == 2 && $1 ~ /^link\/(none|ppp)$/ { kind = "tun" }
    NR == 3 { kind = $1 }
    END { print kind }'
}

# To what a person knows.
network_name() { # NAME [DEVICE|TABLE]
  case $1 in
  docker:*) printf '%s\n' "the Docker network ${1#docker:}" ;;
  docker0) echo 'docker0, which LAYOUT=compose leaves there' ;;
  :address) printf '%s\n' "address of $2" ;;
  :gateway | :resolver) printf '%s\n' "${1#:}" ;;
  :*) printf '%s\n' "${1#:}${2:+, table $2}" ;;
  *) printf '%s\n' "$1${2:+, table $2}" ;;
  esac
}

# Whether the server is attached to it, by an address or by what the provider's DHCP says. Any other route is somebody's.
is_own_network() { # PREFIX DEVICE
  ip -4 route show table all exact "$1" dev "$2" 2>/dev/null | grep -qE ' proto (kernel|dhcp)( |$)' ||
    ip -o -4 addr show dev "$2" 2>/dev/null | awk -v prefix="$1" "$AWK_IP"'$3 == "inet" && overlap($4, prefix) { found = 1 } END { exit !found }'
}

# What takes it away, by what it is: the network of a server's own card is not to be taken away.
network_remedy() { # PREFIX NAME [DEVICE|TABLE]
  case $2 in
  docker:*) printf '%s\n' "stop what is in it (docker compose down), docker network rm ${2#docker:}, and make it again, from Docker's pools or with another subnet" ;;
  docker0) printf '%s\n' "bip in $DAEMON_JSON gives it another address" ;;
  :gateway) echo 'the provider gives it' ;;
  :resolver) echo 'another nameserver in /etc/resolv.conf' ;;
  :route) printf '%s\n' "ip route del $1${3:+ table $3}, and what sets it" ;;
  :address) network_remedy "$1" "$3" ;;
  :*) printf '%s\n' "ip route del ${2#:} $1${3:+ table $3}, and what sets it" ;;
  *)
    case $(link_kind "$2") in
    bridge) printf '%s\n' "give the bridge $2 other addresses, where it is set up (libvirt, LXD, netplan)" ;;
    tun | wireguard | ppp | ipip | gre | sit | vti | xfrm | ip6tnl | ip6gre) printf '%s\n' "take it out of what that VPN routes to $2 (AllowedIPs, route-nopull, --accept-routes=false), or give the VPN other addresses" ;;
    *)
      if ! is_own_network "$1" "$2"; then
        printf '%s\n' "ip route del $1 dev $2${3:+ table $3}, and what sets it: another VPN, a rule of the provider's"
      else
        printf '%s\n' "$2 is one of the server's own networks, which has to stay: give it other addresses at the provider"
      fi
      ;;
    esac
    ;;
  esac
}
