# Docker as it is on this host.

# docker.service as systemd has it now, by one call.
look_at_docker() {
  DOCKER_STATE='' DOCKER_ENABLED='' DOCKER_PID=0 DOCKER_RELOAD='' DOCKER_FRAGMENT='' DOCKER_DROPINS='' DOCKER_ENVIRONMENTS=''
  while IFS='=' read -r key value; do
    case $key in
    ActiveState) DOCKER_STATE=$value ;;
    UnitFileState) DOCKER_ENABLED=$value ;;
    MainPID) DOCKER_PID=$value ;;
    NeedDaemonReload) DOCKER_RELOAD=$value ;;
    FragmentPath) DOCKER_FRAGMENT=$value ;;
    DropInPaths) DOCKER_DROPINS=$value ;;
    EnvironmentFiles) DOCKER_ENVIRONMENTS="${DOCKER_ENVIRONMENTS:+$DOCKER_ENVIRONMENTS }${value% (*}" ;;
    esac
  done <<EOF
$(systemctl show -p ActiveState,UnitFileState,MainPID,NeedDaemonReload,FragmentPath,DropInPaths,EnvironmentFiles docker.service 2>/dev/null)
EOF
}

# Docker's major version into `major`; empty when there is none.
look_at_docker_major() {
  look_at_version dockerd --version
  major=${LINE#Docker version }
  major=${major%%.*}
  case $major in *[!0-9]*) major='' ;; esac
}

# Where docker0 was before us; empty when it was never moved.
docker0_before() {
  read_file "$STATE/docker0" | grep / || :
}

DOCKER_NETWORKS=/var/lib/docker/network/files/local-kv.db

# From 29 on dockerd can be told to keep its rules in nft tables of its own, where an accept of iptables counts for nothing.
# What it accepts there is a mark.
BACKEND_MARK=0x100000

has_nft_backend() {
  look_at_docker_major
  [ "${major:-0}" -ge 29 ] || return 1
  look_at_docker
  {
    if [ -s "$R$DAEMON_JSON" ]; then
      json_members <"$R$DAEMON_JSON" || :
    fi
    for file in $DOCKER_FRAGMENT $DOCKER_DROPINS $DOCKER_ENVIRONMENTS; do
      read_file "$R$file"
    done
  } | grep -qE '^json firewall-backend "nftables"|^[^#]*--firewall-backend[= ]nftables'
}

DAEMON_JSON=/etc/docker/daemon.json

# A dockerd that hangs does not keep the lock.
patiently() { # SECONDS docker WORD...
  rc=0
  timeout "$@" 2>/dev/null </dev/null || rc=$?
  [ $rc != 124 ] || warn "docker $3 does not end: see systemctl status docker"
  return $rc
}

# Our own ipv6nat is not counted: its unit starts it.
running_containers() { # ID|Names
  patiently 60 docker ps --format "{{.$1}} {{.Names}}" >"$TMP/containers" || return 1
  awk '$2 != "meshboot-ipv6nat" { print $1 }' "$TMP/containers"
}

# `subnet network` of every Docker network; 1 when dockerd does not answer. One that goes in between is no failure.
docker_subnets() {
  networks=$(docker network ls -q) || return 1
  # shellcheck disable=SC2016,SC2086 # a template of Docker's; ids, one word each
  docker network inspect -f '{{$n := .Name}}{{range .IPAM.Config}}{{println .Subnet $n}}{{end}}' $networks || :
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

# Only a restart of dockerd brings its own rules back: that is not done behind the user's back.
docker_gap() {
  pid=$(read_file "$R/run/docker.pid")
  if [ -n "$pid" ] && ! iptables -w -t nat -S DOCKER >/dev/null 2>&1 && ! nft list table ip docker-bridges >/dev/null 2>&1 &&
    ! grep -qsE '"iptables"|--iptables=' "$R$DAEMON_JSON" "$R/proc/$pid/cmdline"; then
    echo "Docker's own iptables rules are gone, and with them published ports and the way out: meshboot up --restart-docker, or systemctl restart docker, after which containers without a restart policy stay down"
  fi
}

# Containers that run ipv6nat, one name a line.
ipv6nat_containers() {
  timeout 20 docker ps --format '{{.Names}} {{.Image}}' 2>/dev/null </dev/null | awk '$2 ~ /ipv6nat/ { print $1 }'
}

has_ipv6_networks() {
  ids=$(timeout 20 docker network ls -q 2>/dev/null </dev/null) || ids=''
  # shellcheck disable=SC2086 # ids, one word each
  [ -n "$ids" ] && timeout 20 docker network inspect -f '{{.EnableIPv6}}' $ids 2>/dev/null </dev/null | grep -q true
}
