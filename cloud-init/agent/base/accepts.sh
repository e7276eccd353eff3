# The accepts that let the mesh through a firewall.

accept() { # -C|-I|-D|xml FAMILY TABLE CHAIN MATCH...
  verb=$1 family=$2 table=$3 chain=$4
  shift 4
  case $family in
  ipv4) tool=iptables ;;
  *)
    [ "$IPV6" = on ] || return 0
    tool=ip6tables
    ;;
  esac
  case $verb in
  xml) echo "  <rule ipv=\"$family\" table=\"$table\" chain=\"$chain\" priority=\"0\">$* -j ACCEPT</rule>" ;;
  # Each copy of it, should there be two.
  -D) while $tool -w -t "$table" -D "$chain" "$@" -j ACCEPT 2>/dev/null; do :; done ;;
  *) $tool -w -t "$table" "$verb" "$chain" "$@" -j ACCEPT ;;
  esac
}

# Docker >= 28 drops in raw and wants DOCKER-USER, 20.10 has no DOCKER-USER for IPv6: an accept in each place serves all.
# The others are for chains that somebody closed, now or later: the way out to the mesh, ZeroTier's port, and neighbour
# discovery, without which no container finds its gateway.
mesh_accepts() { # VERB DEVICE SUBNET4 SUBNET6 PORT MESH6: 1 as soon as one of them fails
  for place in raw:PREROUTING filter:DOCKER-USER filter:FORWARD; do
    accept "$1" ipv4 "${place%:*}" "${place#*:}" -i "$2" -d "$3" &&
      accept "$1" ipv6 "${place%:*}" "${place#*:}" -i "$2" -d "$4" || return 1
  done
  accept "$1" ipv4 filter FORWARD -o "$2" -s "$3" &&
    accept "$1" ipv6 filter FORWARD -o "$2" -s "$4" &&
    accept "$1" ipv4 filter INPUT ! -i "$2" -p udp --dport "$5" &&
    accept "$1" ipv6 filter INPUT ! -i "$2" -p udp --dport "$5" &&
    accept "$1" ipv6 filter INPUT -s "$6" -p icmpv6 --icmpv6-type 135 &&
    accept "$1" ipv6 filter INPUT -s "$6" -p icmpv6 --icmpv6-type 136
}

# The port that zerotier-one listens on: its own note of it, or the user's setting before it has ever run.
zerotier_port() {
  port=$(read_file "$ZT/zerotier-one.port" | tr -cd 0-9)
  [ -n "$port" ] || port=$(read_file "$ZT/local.conf" | grep -o '"primaryPort"[: ]*[0-9]*' | tr -cd 0-9)
  echo "${port:-9993}"
}

# What the accepts are made of, five words.
our_words() {
  echo "$DEV $SUBNET4 $SUBNET6 $(zerotier_port) ${MESH##*,}"
}

has_mesh_accepts() {
  # shellcheck disable=SC2046 # five words
  mesh_accepts -C $(our_words) 2>/dev/null
}
