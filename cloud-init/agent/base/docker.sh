# Docker as it is on this host.

# docker.service as systemd has it now, by one call.
look_at_docker() {
  DOCKER_STATE='' DOCKER_ENABLED='' DOCKER_PID=0 DOCKER_RELOAD='' DOCKER_ENVIRONMENTS=''
  DOCKER_COMMAND='' DOCKER_COMMAND_FLAGS='' DOCKER_ENVIRONMENT='' DOCKER_INVOCATION=''
  while IFS='=' read -r key value; do
    case $key in
    ActiveState) DOCKER_STATE=$value ;;
    UnitFileState) DOCKER_ENABLED=$value ;;
    MainPID) DOCKER_PID=$value ;;
    NeedDaemonReload) DOCKER_RELOAD=$value ;;
    EnvironmentFiles) DOCKER_ENVIRONMENTS="${DOCKER_ENVIRONMENTS:+$DOCKER_ENVIRONMENTS }${value% (*}" ;;
    Environment) DOCKER_ENVIRONMENT=$value ;;
    InvocationID) DOCKER_INVOCATION=$value ;;
    ExecStartEx)
      value=${value#*' ; argv[]='}
      DOCKER_COMMAND=${value%%' ; flags='*}
      value=${value#*' ; flags='}
      DOCKER_COMMAND_FLAGS=${value%%' ; '*}
      ;;
    esac
  done <<EOF
$(systemctl show -p ActiveState,UnitFileState,MainPID,NeedDaemonReload,EnvironmentFiles,Environment,ExecStartEx,InvocationID docker.service 2>/dev/null)
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

DOCKER_WORD=''
DOCKER_NETWORKS=/var/lib/docker/network/files/local-kv.db

# How it calls a bridge itself, as the shell and as awk take it. The user's own may begin alike: br-lan.
DOCKER_BRIDGE='br-[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]'

# From 29 on dockerd can be told to keep its rules in nft tables of its own, where an accept of iptables counts for nothing.
# What it accepts there is a mark.
BACKEND_MARK=0x100000

has_nft_backend() {
  look_at_docker_major
  [ "${major:-0}" -ge 29 ] && look_at_docker_word && is_told_nft_backend
}

# With both looked at.
is_told_nft_backend() {
  [ "${major:-0}" -ge 29 ] && docker_is_told firewall-backend nftables
}

# What the user tells dockerd, into DOCKER_WORD: members of daemon.json as `json KEY VALUE`, and the words of its command.
look_at_docker_word() {
  look_at_docker
  look_at_docker_words
  DOCKER_WORD=$words
  if [ -s "$R$DAEMON_JSON" ]; then
    # Where it is not sound any more, what stands before that.
    DOCKER_WORD=$(daemon_json | json_members || :)$NL$words
  fi
}

# Whether he has told it so. Of several flags dockerd takes the last.
docker_is_told() { # DIRECTIVE VALUE
  case $DOCKER_WORD in
  *"$1"*) ;;
  *) return 1 ;;
  esac
  awk -v key="$1" -v value="$2" '
    is_next { is_next = 0; if (!/^-/) { said = $0; next } }
    $1 == "json" && $2 == key { said = $3; gsub(/"/, "", said); next }
    $0 == "--" key { said = "true"; is_next = 1 }
    index($0, "--" key "=") == 1 { said = substr($0, length(key) + 4) }
    END {
      if (said ~ /^(1|t|T|TRUE|True)$/) said = "true"
      if (said ~ /^(0|f|F|FALSE|False)$/) said = "false"
      exit said != value
    }' <<EOF
$DOCKER_WORD
EOF
}

# The mark does not pass Docker's drop of what comes straight to a container, so that has to be off: chain direct of our own
# table drops the same, but for the mesh.
backend_options() {
  if has_nft_backend; then
    echo "--allow-direct-routing --bridge-accept-fwmark=$BACKEND_MARK/$BACKEND_MARK"
  fi
}

# OPTIONS as they are to be with the backend of dockerd's next start. Those of the other one would do harm: with iptables
# --allow-direct-routing opens published ports to every neighbour, and before 29 dockerd does not know the mark.
options_for_backend() { # OPTIONS
  look_at_docker_word
  words=''
  for word in $1; do
    case $word in
    --allow-direct-routing | --bridge-accept-fwmark=*) ;;
    *) words="$words $word" ;;
    esac
  done
  for word in $(backend_options); do
    name=${word#--}
    case $NL$DOCKER_WORD in
    *"${NL}json ${name%%=*} "*) ;;
    *) words="$words $word" ;;
    esac
  done
  echo "${words# }"
}

# Each once.
our_options() {
  read_file "$ETC/dockerd.env" | sed -n 's/^MESHBOOT_OPTIONS="\(.*\)"$/\1/p' |
    awk '{ for (i = 1; i <= NF; i++) if (!seen[$i]++) text = text (text == "" ? "" : " ") $i; print text }'
}

# Before 27 dockerd goes on in its list where it took the last subnet, whatever is free before that; a network with IPv6 has it begin again.
# So the lease's pool stands there for 256 networks. dockerd need not restart for it: it has the same options.
repeat_pool() {
  look_at_docker_major
  if [ "${major:-27}" -ge 27 ]; then
    cat
  else
    awk -v pool="--default-address-pool=base=$UPPER,size=$PIECE" '{
      for (i = 1; i <= NF; i++) for (n = $i == pool ? 32 : 1; n; n--) text = text (text == "" ? "" : " ") $i
      print text
    }'
  fi
}

# For dockerd's next start.
put_our_options() { # OPTIONS
  echo "MESHBOOT_OPTIONS=\"$(echo "$1" | repeat_pool)\"" | put_file /etc/meshboot/dockerd.env 644
}

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

# `3 containers (web, db, cache)`, nothing when none runs; 1 when dockerd does not answer.
name_containers() {
  running_containers Names >"$TMP/names" || return 1
  awk 'NR < 6 { t = t (NR > 1 ? ", " : "") $0 } END { if (NR) print NR " container" (NR > 1 ? "s" : "") " (" t (NR > 5 ? ", ..." : "") ")" }' "$TMP/names"
}

# `subnet network` of every Docker network, or of those that pass a filter; 1 when dockerd does not answer. One that goes in between
# is no failure.
docker_subnets() { # [--filter KEY=VALUE]
  networks=$(docker network ls -q "$@") || return 1
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

# Only a restart of dockerd brings its own rules back: that is not done behind the user's back. One that is still starting has
# none yet.
docker_gap() {
  pid=$(read_file "$R/run/docker.pid")
  if [ -n "$pid" ] && [ "$(systemctl is-active docker.service 2>/dev/null)" != activating ] && ! iptables -w -t nat -S DOCKER >/dev/null 2>&1 && ! nft list table ip docker-bridges >/dev/null 2>&1 &&
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
