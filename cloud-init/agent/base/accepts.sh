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

# Whether somebody's drop stands before an accept of ours: then that is never reached. What the one and the other say of
# protocol and interface must be able to meet (the other end of ours is a bridge of Docker's), and a single address is
# meant: somebody bans it, or closes one container.
are_overtaken() { # DEVICE SUBNET4 SUBNET6 PORT MESH6
  {
    iptables-save 2>/dev/null || :
    [ "$IPV6" != on ] || ip6tables-save 2>/dev/null || :
  } | awk -v made="^$DOCKER_BRIDGE\$" -v dev="$1" -v net4="$2" -v net6="$3" -v port="$4" -v mesh6="$5" '
    function word(rule, option, parts) {
      return split(rule, parts, " " option " ") > 1 && parts[1] !~ / !$/ ? substr(parts[2] " ", 1, index(parts[2] " ", " ") - 1) : ""
    }
    function differ(one, two) { return one != "" && two != "" && one != two }
    # At the end of a name + stands for any characters.
    function is_docker(card) { return card == "docker0" || card ~ made || card ~ /^br-[0-9a-f]*[+]$/ }
    function elsewhere(card, ours) { return card != "" && card != ours && (ours != "" || !is_docker(card)) }
    function meet(drop, ours) {
      return !elsewhere(word(drop, "-i"), word(ours, "-i")) && !elsewhere(word(drop, "-o"), word(ours, "-o")) &&
        !differ(word(drop, "-p"), word(ours, "-p")) && (word(drop, "-s") word(drop, "-d")) !~ /\/(32|128)/
    }
    BEGIN {
      mine[" -d " net4 " -i " dev " -j ACCEPT"]; mine[" -d " net6 " -i " dev " -j ACCEPT"]
      mine[" -s " net4 " -o " dev " -j ACCEPT"]; mine[" -s " net6 " -o " dev " -j ACCEPT"]
      mine[" ! -i " dev " -p udp -m udp --dport " port " -j ACCEPT"]
      for (type = 135; type < 137; type++) mine[" -s " mesh6 " -p ipv6-icmp -m icmp6 --icmpv6-type " type " -j ACCEPT"]
    }
    /^[*]/ { drops = 0; delete drop; delete chain }
    $1 != "-A" { next }
    { rule = substr($0, length($2) + 4) }
    rule in mine { for (i = 1; i <= drops; i++) if (chain[i] == $2 && meet(drop[i], rule)) found = 1 }
    / -j (DROP|REJECT)( |$)/ { drop[++drops] = rule; chain[drops] = $2 }
    END { exit !found }'
}

# Each of them is there, and is reached.
has_mesh_accepts() {
  # shellcheck disable=SC2046 # five words
  mesh_accepts -C $(our_words) 2>/dev/null && ! are_overtaken $(our_words)
}
