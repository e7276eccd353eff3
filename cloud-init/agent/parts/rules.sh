# up, step 8: firewall rules.

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

# A quick look at all of them at once: while iptables says what it said when they were there, they are.
accepts_print() {
  echo "$mine"
  for tool in iptables-save ip6tables-save; do
    $tool 2>/dev/null | grep -F -e "$DEV" -e "${MESH##*,}" || :
  done
}

# What is loaded must be what was loaded, and that the rules of this lease.
rules_print() {
  printf '%s\n' "$rules" "$(nft -s list table inet meshboot 2>/dev/null)"
}

BUILT_IN='ip:INPUT ip6:INPUT ip6:OUTPUT'

# What `down` has to leave as it was: the tables, and the policy of an ip6tables that Docker did not use.
remember_firewall() {
  if [ -e "$STATE/tables" ]; then
    return 0
  fi
  ip6tables -w -S >"$TMP/rules6" 2>/dev/null || :
  if ! grep -q DOCKER "$TMP/rules6"; then
    sed -n '/^-P FORWARD /p' "$TMP/rules6" >"$STATE/forward6"
  fi
  # An accept in INPUT makes the chain, where nothing used it; ip6tables-restore makes all of them.
  for name in $BUILT_IN; do
    if nft list chain "${name%:*}" filter "${name#*:}" >/dev/null 2>&1; then
      : >"$STATE/chain-$name"
    fi
  done
  nft list tables >"$TMP/tables" || fail 'nft does not work on this kernel'
  iptables -w -S FORWARD 2>/dev/null | sed -n '/^-P FORWARD DROP/p' >"$STATE/forward4"
  mv "$TMP/tables" "$STATE/tables"
}

# One at a time: at a boot dockerd, a firewall and `up` call it at once. Not the lock of `up`, for which dockerd would wait.
load_rules() {
  STEP=rules
  [ -n "$DEV" ] || dry || fail "the mesh's interface is not known yet: meshboot up"
  if dry; then
    put_rules
  else
    (
      flock -w 30 8 || :
      put_rules
    ) 8>"$RUN/rules.lock"
  fi
}

# The nft table that this host is to have now, into `rules`.
wanted_rules() {
  look_at_uplinks
  rules=$(rules_text)
}

# Where dockerd has to switch forwarding on, it closes FORWARD, and with it the way from a neighbour to ports that nobody
# published. We switch it on ahead of dockerd, so that is left to us: once a boot, since what somebody opens later is meant.
close_forward() {
  if [ ! -e "$RUN/forward" ] && has dockerd && { [ -s "$STATE/forward4" ] || grep -qsx net/ipv4/ip_forward=0 "$STATE/sysctls"; } && ! has_nft_backend; then
    say 'closes FORWARD of iptables, as dockerd does'
    run iptables -w -P FORWARD DROP
    run touch "$RUN/forward"
  fi
}

put_rules() {
  close_forward
  wanted_rules
  [ -z "$UPLINKS" ] || echo "$UPLINKS" | put_file /var/lib/meshboot/uplinks 600
  mine=$(our_words)
  had=$(read_file "$STATE/rules")
  if ! dry; then
    remember_firewall
    [ "$had" = "$mine" ] || drop_accepts
  fi
  echo "$mine" | put_file /var/lib/meshboot/rules 600
  if [ ! -e "$RUN/nft" ] || [ "$(rules_print)" != "$(read_file "$RUN/nft")" ]; then
    change 'loads nft table inet meshboot'
    if ! dry; then
      # One transaction: there is no moment without the rules.
      printf '%s\n' 'table inet meshboot' 'delete table inet meshboot' "$rules" | nft -f - 2>"$TMP/nft" ||
        fail "nft does not take the rules: $(head -n 1 "$TMP/nft")"
      rules_print >"$RUN/nft"
    fi
  fi
  if [ -e "$RUN/accepts" ] && [ "$(accepts_print)" = "$(read_file "$RUN/accepts")" ]; then
    return 0
  fi
  if ! has_mesh_accepts; then
    change 'adds accepts for the mesh to iptables and ip6tables'
    if dry; then
      return 0
    fi
    # Docker keeps a chain that is already there.
    for tool in iptables ip6tables; do
      $tool -w -N DOCKER-USER 2>/dev/null || :
    done
    [ "$had" != "$mine" ] || drop_accepts
    # shellcheck disable=SC2086 # five words
    mesh_accepts -I $mine 2>"$TMP/iptables" || fail "iptables does not take the rules: $(head -n 1 "$TMP/iptables")"
  fi
  dry || accepts_print >"$RUN/accepts"
}

drop_accepts() {
  # An older agent wrote three words.
  # shellcheck disable=SC2046 # words
  [ ! -s "$STATE/rules" ] || mesh_accepts -D $(cat "$STATE/rules") - - 2>/dev/null || :
}

unload_rules() {
  [ -s "$STATE/rules" ] || return 0
  drop_accepts
  nft delete table inet meshboot 2>/dev/null || :
  rm -f "$RUN/nft" "$RUN/accepts"
  # dockerd closes it again when it starts; where ufw has come since, it is ufw's.
  if [ -e "$RUN/forward" ] && [ ! -s "$STATE/forward4" ] && ! is_running docker && ! iptables -w -S FORWARD | grep -q ufw; then
    iptables -w -P FORWARD ACCEPT || :
  fi
  for tool in iptables ip6tables; do
    if [ "$($tool -w -S DOCKER-USER 2>/dev/null)" = '-N DOCKER-USER' ]; then
      $tool -w -X DOCKER-USER 2>/dev/null || :
    fi
  done
}

# What dockerd and iptables leave behind: Docker's IPv6 rules, and empty tables that were not there.
sweep_firewall() {
  [ -e "$STATE/tables" ] || return 0
  # Only where there were none before us.
  if [ -s "$STATE/forward6" ]; then
    use_tool drop_docker_rules6 "Docker's IPv6 rules stay"
  fi
  for name in $BUILT_IN; do
    if [ ! -e "$STATE/chain-$name" ] && nft list chain "${name%:*}" filter "${name#*:}" 2>/dev/null | grep -q 'policy accept'; then
      # Refused when there are rules in it.
      nft delete chain "${name%:*}" filter "${name#*:}" 2>/dev/null || :
    fi
  done
  for name in 'ip raw' 'ip nat' 'ip filter' 'ip6 raw' 'ip6 nat' 'ip6 filter'; do
    if grep -qxF "table $name" "$STATE/tables"; then
      continue
    fi
    # shellcheck disable=SC2086 # family and table, two words
    listing=$(nft list table $name 2>/dev/null) || continue
    if ! echo "$listing" | grep -qvE '^#|^table |policy accept;$|^[[:space:]]*(chain .*|\})?$'; then
      # shellcheck disable=SC2086 # as above
      nft delete table $name 2>/dev/null || :
    fi
  done
}

# dockerd waits for it.
only_rules() {
  set_up
  use_saved_lease
  open_chains
  load_rules
  gap=$(docker_gap)
  [ -z "$gap" ] || warn "$gap"
}
