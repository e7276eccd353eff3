# Our nft table.

# pre: the mesh, and nothing else, may speak to a container's own address. It names no bridge, since users name theirs as
# they like: the lease's own containers are told by an address that lives behind the interface they come in through, and
# any container may speak to this host's gateway addresses.
#
# out: a packet to an address of the lease that no container has must not leave by the default route. `unreachable` routes
# for the lease would do that too, but dockerd 20.10 takes no subnet that any route covers, not even such a one; so it is a
# rule, which sees by the next hop that the packet is not for a bridge of this host. Nor does this host forward a stranger
# into the mesh: there, whatever comes through the mesh is let in.
#
# post: a null SNAT one step before Docker's chain keeps the true source on the mesh: the first mapping of a connection
# wins. A RETURN in Docker's own chain would be lost at its next restart.
#
# leave: one step behind everybody's NAT. What still has an address of the mesh there has not been translated, since nobody
# is to, or not yet, or not any more: it must not leave.
rules_text() {
  cat <<EOF
table inet meshboot {
chain pre {
type filter hook prerouting priority -301; policy accept;
EOF
  backend_rules
  cat <<EOF
iifname { "lo", "$DEV" } accept
ip saddr $SUBNET4 fib saddr . iif oif exists accept
ip6 saddr $SUBNET6 fib saddr . iif oif exists accept
meta iifkind "bridge" fib daddr type local accept
ip daddr $SUBNET4 drop
ip6 daddr $NET6::2-$NET6:ffff:ffff:ffff drop
}
chain out {
type filter hook forward priority 0; policy accept;
ip daddr $SUBNET4 rt ip nexthop != $SUBNET4 reject
ip6 daddr $SUBNET6 rt ip6 nexthop != $SUBNET6 reject
oifname "$DEV" ip6 daddr $SUBNET6 reject
$(strangers_rule)
}
chain post {
type nat hook postrouting priority 99; policy accept;
oifname "$DEV" ip saddr $SUBNET4 snat ip to ip saddr
oifname "$DEV" ip6 saddr $SUBNET6 snat ip6 to ip6 saddr
}
chain leave {
type filter hook postrouting priority 101; policy accept;
oifname { "lo", "$DEV", "docker0" } accept
oifname "br-*" accept
ip6 saddr $SUBNET6 ip6 daddr != { $MESH6, ff00::/8, fe80::/10 } counter drop
}
}
EOF
}

# The interfaces of the default routes as a set's elements; at a boot that is ahead of its network, those of before.
look_at_uplinks() {
  UPLINKS=$({
    ip -4 route show default
    ip -6 route show default
  } 2>/dev/null | awk '{ for (i = 1; i < NF; i++) if ($i == "dev" && $(i + 1) ~ /^[A-Za-z0-9_.-]+$/ && !seen[$(i + 1)]++) { printf "%s\"%s\"", c, $(i + 1); c = ", " } }')
  [ -n "$UPLINKS" ] || UPLINKS=$(read_file "$STATE/uplinks")
}

strangers_rule() {
  [ -z "$UPLINKS" ] || echo "iifname { $UPLINKS } oifname \"$DEV\" drop"
}

# What is loaded must be what was loaded, and that the rules of this lease.
rules_print() {
  printf '%s\n' "$rules" "$(nft -s list table inet meshboot 2>/dev/null)"
}

# The nft table that this host is to have now, into `rules`.
wanted_rules() {
  look_at_uplinks
  rules=$(rules_text)
}

backend_rules() {
  if has_nft_backend; then
    cat <<EOF
iifname "$DEV" ip daddr $SUBNET4 meta mark set mark or $BACKEND_MARK
iifname "$DEV" ip6 daddr $SUBNET6 meta mark set mark or $BACKEND_MARK
EOF
  fi
}
