# The verb compose: what a Compose project needs to be in the mesh.

compose_usage() {
  warn "$1: meshboot compose [--old|--new] [--size 28] [--part 172.28.1.16/28] [SERVICE...]"
  exit 2
}

# 1.29 and before, which is a command of its own.
is_old_compose() {
  if docker compose version >/dev/null 2>&1; then
    return 1
  fi
  case $(docker-compose version --short 2>/dev/null) in 1.*) ;; *) return 1 ;; esac
}

# The project of this directory, as Compose calls it: what is its own already stays its own.
look_at_project() {
  project=${COMPOSE_PROJECT_NAME:-$(basename "$PWD" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9_-')}
  its="label=com.docker.compose.project=$project"
  its_network=$(docker network ls --filter "$its" --filter label=com.docker.compose.network=default --format '{{.Name}}' | head -n 1)
  its_subnets=$(printf '%s\n' "$networks" | awk -v its="$its_network" '$2 == its { print $1 }')
  its_containers=$(docker ps --filter "$its" --format '{{.Names}}')
}

# Whether the network that the project has is as it is to be. No Compose changes one that is there: 1.29 fails, 2.26 says
# nothing, 2.40 makes it anew, and gives up in between where somebody else's container is on it.
has_its_addresses() { # [SUBNET GATEWAY GROUP]
  printf '%s\n' "$its_subnets" | pool_awk '
    $1 ~ /[.]/ { four = want == "" ? inside($1, own) : $1 == want }
    index(tolower($1), net6) == 1 || group == "0" && index(tolower($1), zero) == 1 { six_too = 1 }
    END { exit !(four && (six_too || ipv6 == "off")) }' -v want="${1:-}" -v group="${3:-}" -v net6="$NET6:${3:+$3::/}" -v zero="$NET6::/" -v ipv6="$IPV6"
}

say_that_down_comes_first() {
  command='docker compose'
  ! $old || command='docker-compose'
  # shellcheck disable=SC2016 # a template of Docker's
  others=$(docker network inspect -f '{{range .Containers}}{{.Name}} {{end}}' "$its_network" | tr ' ' '\n' | grep -vxF -e "$its_containers" -e '' | sed "s/.*/; docker network disconnect $its_network &/" | tr -d '\n')
  warn "the network $its_network ($(printf '%s\n' "$its_subnets" | tr '\n' ' ' | sed 's/ $//; s/ /, /g')) was made before, and up -d leaves it as it is, or fails: first $command down${others:+. Before that, since these are on it too, and Compose would then not bring the project up again: ${others#; }}"
}

# docker_subnets on stdin: `subnet gateway group` of a free piece of the lease, or `!` and why there is none. The group is
# the sixth of the IPv6 addresses: the piece's place in the lease.
free_piece() { # SIZE PART, either may be empty
  pool_awk '
    function group(text, g, i) {
      for (i = 1; i <= length(text); i++) g = g * 16 + index("123456789abcdef", substr(text, i, 1))
      return g + 0
    }
    BEGIN {
      most = p + 16 < 29 ? p + 16 : 29
      if (want == "") want = piece < most ? piece : most
      if (part != "") want = len(part)
      bad = part != "" && (!is_prefix(part) || !inside(part, own)) || want < p || want > most
    }
    index(tolower($1), net6) == 1 {
      split(substr(tolower($1), length(net6) + 1), words, "[:/]")
      bits = substr($1, index($1, "/") + 1)
      g = group(words[1])
      for (i = two(bits < 96 ? 96 - bits : 0); i > 0; i--) by6[g++] = $2
    }
    $1 ~ /[.]/ { by[u + 0] = $2; used[u++] = $1 }
    END {
      for (i = first(own); !bad && i < first(own) + size(own); i += two(32 - want)) {
        t = txt(i) "/" want
        if (part != "" && t != part) continue
        for (j = 0; j < u && !overlap(t, used[j]); j++);
        g = int((i - first(own)) / two(p < 16 ? 16 - p : 0))
        holder = j < u ? by[j] : by6[g]
        if (holder == "") { print t, txt(i + 1), sprintf("%x", g); exit }
      }
      t = part != "" ? part : "/" want
      print bad ? "! " t " is no part of " own ": those are a /" p " to a /" most : "! " t " is not free in " own ": the Docker network " holder " is there"
    }' -v net6="$NET6:" -v piece="$PIECE" -v want="$1" -v part="$2"
}

compose_ipv6nat() {
  holder=$(ipv6nat_containers | grep -vxF "$its_containers" | head -n 1)
  if [ -n "$holder" ]; then
    printf '%s\n' "# IPv6 to the outside: the container $(printable "$holder") does it for all projects, and there must be one only."
    return 0
  fi
  printf '%s\n' \
    '# One for all projects. depends_on lets no service start before it; meshboot compose SERVICE... adds that to yours.' \
    'services:' \
    '  ipv6nat:' \
    "    image: $IPV6NAT_IMAGE" \
    '    container_name: ipv6nat' \
    '    network_mode: host' \
    '    restart: always' \
    '    cap_drop: [ALL]' \
    '    cap_add: [NET_ADMIN, NET_RAW]' \
    '    security_opt: ["no-new-privileges"]' \
    '    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]' \
    '    command: [--retry, --cleanup]'
  for service in $services; do
    printf '  %s:\n    depends_on: [ipv6nat]\n' "$service"
  done
}

compose_network() { # [SUBNET GATEWAY GROUP]
  printf 'networks:\n  default:\n'
  if [ "$IPV6" = on ]; then
    echo '    enable_ipv6: true'
  fi
  mtu=$(container_mtu)
  [ -z "$mtu" ] || printf '    driver_opts:\n      %s: "%s"\n' "$MTU_OPTION" "$mtu"
  if [ $# = 3 ]; then
    printf '    ipam:\n      config:\n'
    printf '        - subnet: %s\n          gateway: %s\n' "$1" "$2"
    if [ "$IPV6" = on ]; then
      printf '        - subnet: %s/96\n          gateway: %s1\n' "$NET6:$3::" "$NET6:$3::"
    fi
  fi
}

compose_file() {
  echo "# $L_NAME, $SUBNET4, LAYOUT=$LAYOUT. As docker-compose.override.yml beside docker-compose.yml it is read by itself."
  if [ "$LAYOUT" = bridge ]; then
    printf '# %s\n' \
      'There is nothing to add: docker0 has the whole lease, and the networks of projects lie outside the mesh.' \
      'A service with "network_mode: bridge" is on docker0, in the mesh. For networks in the mesh: LAYOUT=split or compose.'
    return 0
  fi
  if $old; then
    printf '# The other file has to say the same version.\nversion: "2.1"\n'
  fi
  if [ "$LAYOUT" = split ]; then
    echo "# dockerd takes the subnets, from $UPPER and $NET6:8000::/81."
    compose_network
    return 0
  fi
  if [ "$IPV6$IPV6NAT" = oncontainer ]; then
    compose_ipv6nat
  fi
  echo '# A piece is held by a network that is there: after docker compose down another project may get it, so print this again then.'
  # shellcheck disable=SC2086 # three words
  compose_network $piece
}

compose() { # [--old|--new] [--size N] [--part PREFIX] [SERVICE...]
  STEP=compose
  old='' size='' part='' services=''
  while [ $# -gt 0 ]; do
    case $1 in
    --old) old=true ;;
    --new) old=false ;;
    --size | --part)
      [ $# -gt 1 ] || compose_usage "$1 wants a value"
      case $1 in
      --size)
        size=$2
        matches "$size" '[0-9]{1,2}' || compose_usage "--size $(printable "$size") is no prefix length"
        ;;
      *)
        part=$2
        matches "$part" '[0-9.]{7,15}/[0-9]{1,2}' || compose_usage "--part $(printable "$part") is no IPv4 subnet"
        ;;
      esac
      shift
      ;;
    *)
      matches "$1" '[A-Za-z0-9][A-Za-z0-9._-]*' || compose_usage "$(printable "$1") is no service"
      services="$services $1"
      ;;
    esac
    shift
  done
  read_settings
  use_saved_lease
  find_docker_socket
  if [ "$LAYOUT" != compose ] && [ -n "$size$part" ]; then
    refuse "with LAYOUT=$LAYOUT dockerd takes the subnets: --size and --part are for LAYOUT=compose"
  fi
  if [ -z "$old" ]; then
    old=$(true_or_false is_old_compose)
  fi
  its_network='' piece=''
  if [ "$LAYOUT" = split ] && is_running docker && networks=$(docker_subnets); then
    look_at_project
  fi
  if [ "$LAYOUT" = compose ]; then
    is_running docker || fail 'dockerd does not run, and only it knows which networks there are: systemctl start docker'
    networks=$(docker_subnets) || fail 'dockerd does not say which networks there are: see systemctl status docker'
    look_at_project
    if [ -n "$its_network" ]; then
      [ -n "$size$part" ] || part=$(printf '%s\n' "$networks" | pool_awk '$2 == its && $1 ~ /[.]/ && inside($1, own) { print $1 }' -v its="$its_network")
      networks=$(printf '%s\n' "$networks" | awk -v its="$its_network" '$2 != its')
    fi
    piece=$(printf '%s\n' "$networks" | free_piece "$size" "$part")
    case $piece in '!'*) refuse "${piece#! }" ;; esac
  fi
  # shellcheck disable=SC2086 # three words
  if [ -n "$its_network" ] && ! has_its_addresses $piece; then
    say_that_down_comes_first
  fi
  compose_file
}
