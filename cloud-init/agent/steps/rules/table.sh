# Our nft table.

# pre: the mesh, and nothing else, may speak to a container's own address. It names no bridge, since users name theirs as
# they like: the lease's own containers are told by an address that lives behind the interface they come in through, and
# any container may speak to this host's gateway addresses.
#
# direct: see direct_chain.
#
# forward: a packet to an address of the lease that no container has must not leave by the default route. `unreachable` routes
# for the lease would do that too, but dockerd 20.10 takes no subnet that any route covers, not even such a one; so it is a
# rule, which sees by the next hop that the packet is not for a bridge of this host. Nor does this host forward a stranger
# into the mesh: there, whatever comes through the mesh is let in. It comes ahead of Docker's chains, which look at the mark.
#
# post: a null SNAT one step before Docker's chain keeps the true source on the mesh: the first mapping of a connection
# wins. A RETURN in Docker's own chain would be lost at its next restart.
#
# mss: TCP from and to the internet in segments that the uplink carries, where containers have an MTU of their own; all else is told
# by ICMP. Beyond the uplink somebody may drop that.
#
# leave: one step behind everybody's NAT. What still has an address of the mesh there has not been translated, since nobody
# is to, or not yet, or not any more: it must not leave.
rules_text() {
  print_lines <<END
table inet meshboot {
chain pre {
type filter hook prerouting priority -301; policy accept;
iifname { "lo", "$DEV" } accept
ip saddr $SUBNET4 fib saddr . iif oif exists accept
ip6 saddr $SUBNET6 fib saddr . iif oif exists accept
meta iifkind "bridge" fib daddr type local accept
ip daddr $SUBNET4 drop
ip6 daddr $NET6::2-$NET6:ffff:ffff:ffff drop
}
END
  direct_chain
  print_lines <<END
chain forward {
type filter hook forward priority -1; policy accept;
END
  backend_rules
  print_lines <<END
ip daddr $SUBNET4 rt ip nexthop != $SUBNET4 reject
ip6 daddr $SUBNET6 rt ip6 nexthop != $SUBNET6 reject
oifname "$DEV" ip6 daddr $SUBNET6 reject
END
  strangers_rule
  closing_rules
  print_lines <<END
}
chain post {
type nat hook postrouting priority 99; policy accept;
oifname "$DEV" ip saddr $SUBNET4 snat ip to ip saddr
oifname "$DEV" ip6 saddr $SUBNET6 snat ip6 to ip6 saddr
}
chain leave {
type filter hook postrouting priority 101; policy accept;
oifname { "lo", "$DEV" } accept
$(bridges_rule)
ip6 saddr $SUBNET6 ip6 daddr != { $MESH6, ff00::/8, fe80::/10 } counter drop
}
END
  mss_chain
  echo '}'
}

# The kernel makes it smaller, never larger.
mss_chain() {
  [ "$MTU" != 1500 ] && [ -n "$UPLINKS" ] || return 0
  print_lines <<END
chain mss {
type filter hook forward priority -150; policy accept;
iifname { $UPLINKS } tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
oifname { $UPLINKS } tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
}
END
}

# Not in prerouting, where a VPN that takes all traffic (wg-quick) sets the mark of UDP to its own.
backend_rules() {
  if is_told_nft_backend; then
    print_lines <<END
iifname "$DEV" ip daddr $SUBNET4 meta mark set mark or $BACKEND_MARK
iifname "$DEV" ip6 daddr $SUBNET6 meta mark set mark or $BACKEND_MARK
END
  fi
}

# Networks of this host's own, Docker's among them, whatever they are called; a bridge may be the way out, too.
bridges_rule() {
  within=''
  [ -z "$UPLINKS" ] || within=" oifname != { $UPLINKS }"
  echo "meta oifkind \"bridge\"$within accept"
}

strangers_rule() {
  [ -z "$UPLINKS" ] || echo "iifname { $UPLINKS } oifname \"$DEV\" drop"
}

# From 28 on dockerd drops what comes to a container's own address otherwise than through its bridge: a port that is
# published on this host's addresses, or on 127.0.0.1 alone, is reached there and nowhere else. With its nft tables we have
# to switch that off for the mesh (see backend_options), so the same stands here. Earlier ones leave such ports open: then
# it holds for the neighbours of this host and of the mesh, but not for IPv6 addresses that are the world's.
#
# Behind conntrack, so that answers pass, and before the destination NAT, so that published ports do. What is for the host
# itself is no unicast to the routing table. The lease is the business of chain pre.
direct_chain() {
  from=''
  if ! is_told_nft_backend; then
    if [ "${major:-28}" -ge 28 ]; then
      return 0
    fi
    from="iifname != { ${CARDS:+$CARDS, }\"$DEV\" } accept${NL}ip6 daddr != fc00::/7 accept$NL"
  fi
  if docker_is_told allow-direct-routing true; then
    return 0
  fi
  print_lines <<END
chain direct {
type filter hook prerouting priority -150; policy accept;
ct state established,related accept
fib daddr type != unicast accept
fib daddr . iif oif exists accept
ip daddr $SUBNET4 accept
ip6 daddr $SUBNET6 accept
END
  printf %s "$from"
  opened_bridges
  own=$(own_bridges)
  # Any of them may be one that Docker's user has named.
  [ -z "$own" ] || ! is_docker_to_tell || own=''
  print_lines <<END
$(docker_bridges_rules 'fib daddr oifname' drop "$own")
}
END
}

# Of those that Docker has not told of, all but the user's own: nft knows no pattern for its twelve digits.
docker_bridges_rules() { # MATCH VERDICT OWN
  except=$3
  [ -z "$except" ] || except="$1 != { $except } "
  echo "$1 { \"docker0\"$(named_bridges) } $2"
  echo "$1 \"br-*\" $except$2"
}

# dockerd closes forwarding where it is the one that switches it on. We do that ahead of it: so what comes from a network of
# this host, or through the mesh, is not passed on but to Docker's bridges. A drop here is final, which a policy of iptables
# is not, and it is there with either backend: it is as narrow as can be, and the user's word to dockerd counts. A router of
# before us that lives behind such a policy keeps it, and its accepts go on to decide; but none of them was meant for the mesh.
closing_rules() {
  closed=$(closed_families)
  if [ -z "$closed" ]; then
    return 0
  fi
  print_lines <<END
ct state established,related accept
ct status dnat accept
ip daddr $SUBNET4 accept
ip6 daddr $SUBNET6 accept
END
  docker_bridges_rules oifname accept "$(own_bridges)"
  for family in $closed; do
    if is_closed_by_policy "$family"; then
      [ -z "$CARDS" ] || echo "meta nfproto $family iifname { $CARDS } oifname \"$DEV\" drop"
      echo "meta nfproto $family iifname \"$DEV\" drop"
    else
      echo "meta nfproto $family iifname { ${CARDS:+$CARDS, }\"$DEV\" } drop"
    fi
  done
}

# What is loaded must be what was loaded, and that the rules of this lease; 1 when the table is not there.
rules_print() {
  printf '%s\n' "$rules"
  nft -s list table inet meshboot 2>/dev/null
}

# The nft table that this host is to have now, into `rules`.
wanted_rules() {
  look_at_uplinks
  look_at_cards
  if has dockerd; then
    look_at_docker_major
    look_at_docker_word
  fi
  rules=$(rules_text)
}
