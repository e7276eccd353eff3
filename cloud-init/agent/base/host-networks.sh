# What the host is attached to.

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

# IPv4 prefixes that the host uses, `prefix device`, from every routing table: not the mesh, and not docker0 where it gets
# its addresses from us. A blackhole (or its like) is named by its kind, and ours does not count. Shorter than /8 is a
# default route in pieces, as VPNs set them (0.0.0.0/1 and 128.0.0.0/1): the mesh is always more specific.
host_networks() {
  moved=docker0
  if [ "$LAYOUT" = compose ]; then
    before=$(docker0_before)
    moved=${before:+docker0}
    [ -z "$before" ] || echo "$before" | awk "$AWK_IP"'{ print net($1), "docker0" }'
  fi
  {
    ip -o -4 addr show
    ip -4 route show table all
  } | awk -v mesh="${DEV:-${ZT_DEV:-}}" -v moved="$moved" -v guard="metric $GUARD_METRIC" "$AWK_IP"'
    { p = d = "" }
    $3 == "inet" { p = $4; d = $2 }
    /^unreachable / && index($0, guard) { next }
    $1 ~ /^(blackhole|unreachable|prohibit|throw)$/ { d = $1; $1 = ""; $0 = $0 }
    $3 != "inet" && $1 ~ /^[0-9]+\./ { p = $1; for (i = 2; i < NF; i++) if ($i == "dev") d = $(i + 1) }
    p == "" || d == "lo" || d == moved || d == mesh || len(p) < 8 || seen[net(p), d]++ { next }
    { print net(p), d == "" ? "route" : d }'
  docker_networks
}

# What the host cannot do without and what need not lie in one of its prefixes: gateway and resolvers, `prefix name`.
host_lifelines() {
  ip -4 route show | awk '$1 == "default" && $2 == "via" { print $3 "/32", "gateway" }'
  for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
    read_file "$R$file" | awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ && $2 !~ /^127[.]/ { print $2 "/32", "resolver" }'
  done
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
  docker0) echo 'docker0, which LAYOUT=compose leaves there' ;;
  *) echo "$1" ;;
  esac
}
