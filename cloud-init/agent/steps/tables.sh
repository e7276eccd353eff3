# The tables of the firewall as they were before us, for `down`.

BUILT_IN='ip:INPUT ip6:INPUT ip6:OUTPUT'

# What `down` has to leave as it was: the tables, and the policy of an ip6tables that Docker did not use.
tables_up() {
  if dry || [ -e "$STATE/tables" ]; then
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
  # By dockerd, where it was the one that switched forwarding on.
  iptables -w -S FORWARD >"$TMP/rules4" 2>/dev/null || :
  sed -n '/^-P FORWARD DROP/p' "$TMP/rules4" >"$STATE/forward4"
  sed -n '/^-P FORWARD DROP/p' "$TMP/rules6" >"$STATE/closed6"
  own_ways "$TMP/rules4" >"$STATE/ways4"
  own_ways "$TMP/rules6" >"$STATE/ways6"
  put_file /var/lib/meshboot/tables 600 <"$TMP/tables"
}

# What in FORWARD lets through what is not Docker's: there was a router here before us.
own_ways() { # RULES
  awk '/^-A FORWARD / && !/ -j (DOCKER|DROP|REJECT|LOG|NFLOG)/ && !/ -[io] (docker0|br-[0-9a-f]+) /' "$1"
}

# What dockerd and iptables leave behind: Docker's IPv6 rules, and empty tables that were not there.
tables_down() {
  [ -e "$STATE/tables" ] || return 0
  say 'removes what is left in iptables and nft of tables that were not there before, where it is empty'
  if dry; then
    return 0
  fi
  # Only where there were none before us, and no dockerd that runs on needs them.
  if [ -s "$STATE/forward6" ] && { is_to_purge docker || ! is_running docker; }; then
    drop_docker_rules6
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
    if ! printf '%s\n' "$listing" | grep -qvE '^#|^table |policy accept;$|^[[:space:]]*(chain .*|\})?$'; then
      # shellcheck disable=SC2086 # as above
      nft delete table $name 2>/dev/null || :
    fi
  done
}

tables_state() {
  watch_files "$STATE/tables"
}
