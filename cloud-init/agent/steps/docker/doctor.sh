# The links of doctor from the mesh to the containers.

option() { # NAME: its value among what dockerd is to have
  echo "$WANTED" | tr ' ' '\n' | sed -n "s/^--$1=//p"
}

# Each bridge of the lease has an address in each of its subnets, unless its owner wants none there.
look_at_bridges() {
  ids=$(docker network ls -q --filter driver=bridge) || ids=''
  [ -n "$ids" ] || return 0
  # shellcheck disable=SC2016,SC2086 # a template of Docker's; ids, one word each
  docker network inspect -f '{{$b := index .Options "com.docker.network.bridge.name"}}{{if not $b}}{{$b = printf "br-%.12s" .Id}}{{end}}{{$n := .Name}}{{if ne (index .Options "com.docker.network.bridge.inhibit_ipv4") "true"}}{{range .IPAM.Config}}{{println $n $b .Subnet}}{{end}}{{end}}' $ids |
    pool_awk '$3 ~ /^[0-9.]+\/[0-9]+$/ && inside($3, own) { mine[$1] } { line[NR] = $0; name[NR] = $1 }
      END { for (i = 1; i <= NR; i++) if (name[i] in mine && name[i] != "bridge") print line[i] }' >"$TMP/bridges" || :
  empty=''
  while IFS=' ' read -r network bridge subnet; do
    case $subnet in *:*) [ "$IPV6" = on ] || continue ;; esac
    [ -n "$(ip -o addr show dev "$bridge" to "$subnet" 2>/dev/null)" ] || empty="$empty $network ($bridge, $subnet)"
  done <"$TMP/bridges"
  [ -z "$empty" ] || fault "no address on the bridge of$empty" '' 'systemctl restart docker'
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
    read_docker_unit
    choose_options
    check_docker_flags
  ) 2>&1 | sed -nE 's/.*(refused|failed): //p')
  if [ -n "$clash" ]; then
    fault "$clash" '' 'change it there; meshboot up'
    return 0
  fi
  read_docker_unit
  choose_options 2>/dev/null
  gap=$(docker_gap)
  [ -z "$gap" ] || fault "${gap%: *}" '' "${gap##*: }"
  old_address_users >"$TMP/old-address"
  while IFS= read -r who; do
    warning "$who, where docker0 was" "$GATEWAY4" "put $GATEWAY4 there; systemctl restart docker"
  done <"$TMP/old-address"
  if ! is_running docker; then
    fault 'docker.service does not run' '' 'systemctl start docker; journalctl -u docker -n 30'
  elif ! docker_runs_with_options; then
    apply='meshboot up'
    names=$(running_containers Names | tr '\n' ' ')
    [ -z "$names" ] || apply="meshboot up --restart-docker, which restarts $names"
    if [ ! -e "$ETC/dockerd.env" ]; then
      fault "it has not got the lease's options yet" "$options" "$apply"
    elif [ -z "$missing" ]; then
      warning "it runs $(options_not_in_force)" "$options" "$apply"
    else
      ! was_in_vain || apply="a start did not help: let ExecStart of docker.service be dockerd itself; $apply"
      fault "it runs $(options_not_in_force)" "$options" "$apply"
    fi
  elif ! docker_subnets --filter driver=bridge >"$TMP/networks"; then
    fault 'dockerd does not answer' '' 'systemctl restart docker'
  else
    for net in $(option bip) $(option fixed-cidr-v6); do
      [ -n "$(ip -o addr show dev docker0 to "$net" 2>/dev/null)" ] || fault "docker0 has no address in $net" '' 'systemctl restart docker'
    done
    look_at_bridges
    # No overlay of a Swarm, which has its subnet from the Swarm.
    outside=$(pool_awk '$1 ~ /^[0-9.]+\/[0-9]+$/ && $2 != "bridge" && !inside($1, own) { printf " %s", $2 }' <"$TMP/networks")
    [ -z "$outside" ] || finding note "networks outside the mesh:$outside" '' 'a network has a piece of the lease when it is made anew and one is free: see docs/docker.md'
  fi
}

# Docker's translation of docker0's addresses on the way out: with nftables in a table of its own.
masquerade() { # ip|ip6
  if has_nft_backend; then
    nft list table "$1" docker-bridges 2>/dev/null | grep 'docker0.* masquerade' || :
  else
    "${1}tables" -w -t nat -S POSTROUTING 2>/dev/null | grep -e '! -o docker0 .*MASQUERADE' || :
  fi
}

# dockerd that came to nftables leaves the policy of iptables as it was, for both families.
doctor_nat44() {
  if has_nft_backend; then
    for tool in iptables ip6tables; do
      if $tool -w -S FORWARD 2>/dev/null | grep -qx -e '-P FORWARD DROP'; then
        fault "the policy of FORWARD in $tool is DROP, and dockerd keeps its accepts in nftables: no way out, no published ports" ACCEPT \
          "$tool -P FORWARD ACCEPT; where a firewall of yours sets it: accepts there for docker0 and br-+"
      fi
    done
  fi
  case $json in
  *'json iptables false'* | *'json ip-masq false'*)
    finding note 'iptables or ip-masq is off in daemon.json: nothing translates, unless you do'
    return 0
    ;;
  esac
  if [ -n "$(option fixed-cidr)" ] && [ -z "$(masquerade ip)" ]; then
    fault "no MASQUERADE for $(option fixed-cidr)" '' 'systemctl restart docker'
  fi
}

doctor_nat66() {
  [ -n "$(option fixed-cidr-v6)" ] || return 0
  rules=$(masquerade ip6)
  remedy='systemctl restart docker'
  case $json in
  *'json iptables false'*)
    finding note 'iptables is off in daemon.json: nothing translates, unless you do'
    return 0
    ;;
  *'json ip6tables '* | *'json ip-masq '*) remedy='take ip6tables and ip-masq out of /etc/docker/daemon.json; systemctl restart docker' ;;
  esac
  container=$(docker ps --format '{{.Names}} {{.Image}}' | awk '$2 ~ /ipv6nat/ { print $1 }')
  case $IPV6NAT in
  container) [ -n "$container" ] || fault 'no ipv6nat container runs' '' 'meshboot up; journalctl -u meshboot-ipv6nat' ;;
  off) [ -z "$rules" ] || [ -n "$container" ] || warning 'something translates' "nothing (IPV6NAT=off)" "$remedy" ;;
  *)
    [ -z "$container" ] || fault "both dockerd and container $container translate" one "docker rm -f $container"
    [ -n "$rules" ] || fault "no MASQUERADE for $(option fixed-cidr-v6)" '' "$remedy"
    ;;
  esac
}

doctor_compose() {
  [ "$COMPOSE" != on ] || has docker-compose || docker compose version >/dev/null || fault 'not installed' "COMPOSE=on in $CONF" 'meshboot up'
}

docker_doctor() {
  look dockerd settings lease
  look nat44 dockerd
  look nat66 dockerd
  look compose settings
}
