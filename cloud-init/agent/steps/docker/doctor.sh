# The links of doctor from the mesh to the containers.

option() { # NAME: its value among what dockerd is to have
  echo "$WANTED" | tr ' ' '\n' | sed -n "s/^--$1=//p"
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
    choose_options
    read_docker_unit
    check_docker_flags
  ) 2>&1 | sed -n 's/.*refused: //p')
  if [ -n "$clash" ]; then
    fault "$clash" '' 'remove it there; meshboot up'
    return 0
  fi
  choose_options 2>/dev/null
  gap=$(docker_gap)
  [ -z "$gap" ] || fault "${gap%: *}" '' "${gap##*: }"
  if ! is_running docker; then
    fault 'docker.service does not run' '' 'systemctl start docker; journalctl -u docker -n 30'
  elif ! docker_runs_with_options; then
    # shellcheck disable=SC2046 # paths of units hold no blanks
    start=$(exec_start $(for file in $DOCKER_FRAGMENT $DOCKER_DROPINS; do echo "$R$file"; done) </dev/null)
    apply='meshboot up'
    names=$(running_containers Names | tr '\n' ' ')
    [ -z "$names" ] || apply="meshboot up --restart-docker, which restarts $names"
    if [ ! -e "$R$UNITS/docker.service.d/50-meshboot.conf" ] && [ ! -e "$R$UNITS/docker.service.d/zz-50-meshboot.conf" ]; then
      fault "it has not got the lease's options yet" "$options" "$apply"
    else
      case ${start%% *} in
      *-meshboot.conf) fault "it runs without the lease's options" "$options" "$apply" ;;
      *) fault "ExecStart of ${start%% *} wins" "$options" 'meshboot up; a name that sorts behind zz-50-meshboot.conf: rename it' ;;
      esac
    fi
  elif ! docker_subnets >"$TMP/networks"; then
    fault 'dockerd does not answer' '' 'systemctl restart docker'
  else
    for net in $(option bip) $(option fixed-cidr-v6); do
      [ -n "$(ip -o addr show dev docker0 to "$net" 2>/dev/null)" ] || fault "docker0 has no address in $net" '' 'systemctl restart docker'
    done
    outside=$(pool_awk '$1 ~ /^[0-9.]+\/[0-9]+$/ && $2 != "bridge" && !inside($1, own) { printf " %s", $2 }' <"$TMP/networks")
    [ -z "$outside" ] || finding note "networks outside the mesh:$outside" '' 'a network has a piece of the lease when it is made anew and one is free: see docs/docker.md'
  fi
}

doctor_nat66() {
  [ -n "$(option fixed-cidr-v6)" ] || return 0
  if has_nft_backend; then
    rules=$(nft list table ip6 docker-bridges 2>/dev/null | grep 'docker0.* masquerade') || :
  else
    rules=$(ip6tables -w -t nat -S POSTROUTING 2>/dev/null | grep -e '! -o docker0 .*MASQUERADE') || :
  fi
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
  look nat66 dockerd
  look compose settings
}
