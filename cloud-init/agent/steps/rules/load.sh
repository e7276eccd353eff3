# The rules, loaded and unloaded.

# A quick look at all of them at once, and at what could stand before them: while iptables says what it said just before they
# were all found, they are there. What it says after they were put there is nothing to go by: somebody may have been in between.
accepts_print() {
  echo "$mine"
  for tool in iptables-save ip6tables-save; do
    $tool 2>/dev/null | grep -F -e "$DEV" -e "${MESH##*,}" -e '-j DROP' -e '-j REJECT' || :
  done
}

# Set when this run has put the rules in place, for the dockerd that was there.
RULED=''

rules_up() {
  remember_bridges
  load_rules
  ! has dockerd || RULED=yes
}

# One at a time: at a boot dockerd, a firewall and `up` call it at once. Not the lock of `up`, for which dockerd would wait.
load_rules() {
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

# Versions before closed FORWARD of iptables by its policy, once a boot, which chain forward does now. dockerd's nft tables would
# leave it in force. What was there before us, or a firewall of the user's sets, stays.
open_forward() {
  if [ ! -e "$RUN/forward" ]; then
    return 0
  fi
  if ! has_closed_forward; then
    say 'takes the policy of FORWARD in iptables back: the nft table closes it'
    run iptables -w -P FORWARD ACCEPT
  fi
  run rm -f "$RUN/forward"
}

has_closed_forward() {
  iptables -w -S FORWARD | grep -q ufw || is_running netfilter-persistent ||
    { [ -s "$STATE/forward4" ] && { ! has_nft_backend || is_set_by_user net/ipv4/ip_forward; }; }
}

put_rules() {
  close_as_before
  wanted_rules
  [ -z "$UPLINKS" ] || echo "$UPLINKS" | put_file /var/lib/meshboot/uplinks 600
  [ -z "$UPLINKS" ] || echo "$CARDS" | put_file /var/lib/meshboot/cards 600
  mine=$(our_words)
  had=$(read_file "$STATE/rules")
  dry || [ "$had" = "$mine" ] || drop_accepts
  echo "$mine" | put_file /var/lib/meshboot/rules 600
  if [ ! -e "$RUN/nft" ] || [ "$(rules_print)" != "$(read_file "$RUN/nft")" ]; then
    change 'loads nft table inet meshboot'
    if ! dry; then
      # One transaction: there is no moment without the rules.
      printf '%s\n' 'table inet meshboot' 'delete table inet meshboot' "$rules" | nft -f - 2>"$TMP/nft" ||
        fail "nft does not take the rules: $(head -n 1 "$TMP/nft")"
      rules_print >"$RUN/nft" || rm -f "$RUN/nft"
    fi
  fi
  open_forward
  open_for_nft
  said=$(accepts_print)
  if [ -e "$RUN/accepts" ] && [ "$said" = "$(read_file "$RUN/accepts")" ]; then
    return 0
  fi
  if has_mesh_accepts; then
    dry || printf '%s\n' "$said" >"$RUN/accepts"
  else
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
}

drop_accepts() {
  # An older agent wrote three words.
  # shellcheck disable=SC2046 # words
  [ ! -s "$STATE/rules" ] || mesh_accepts -D $(cat "$STATE/rules") - - 2>/dev/null || :
}

# Docker is asked only where its networks have changed since.
rules_keep() {
  if ! are_bridges_told; then
    find_docker_socket
    remember_bridges
  fi
  load_rules
  # When it is past its start, nothing here changes by that: so this is tried again.
  if [ -n "$(own_bridges)" ] && is_docker_to_tell && has docker && is_running docker; then
    fail 'dockerd has not told its bridges yet: until then those of your own that are called alike are as closed as they are'
  fi
}

rules_down() {
  [ -s "$STATE/rules" ] || return 0
  say 'removes nft table inet meshboot and the accepts for the mesh in iptables and ip6tables'
  if dry; then
    close_forward_for_docker
    return 0
  fi
  drop_accepts
  nft delete table inet meshboot 2>/dev/null || :
  rm -f "$RUN/nft" "$RUN/accepts"
  open_forward
  close_forward_for_docker
  for tool in iptables ip6tables; do
    if [ "$($tool -w -S DOCKER-USER 2>/dev/null)" = '-N DOCKER-USER' ]; then
      $tool -w -X DOCKER-USER 2>/dev/null || :
    fi
  done
}

rules_state() {
  own_bridges
  watch_files "$STATE/rules" "$STATE/uplinks" "$STATE/cards" "$ZT/zerotier-one.port" "$RUN/nft" "$RUN/forward" \
    "$R$DAEMON_JSON" "$R$DOCKER_NETWORKS"
  watch_user_forwarding
  watch_commands 'nft -s list ruleset' 'ip -4 route show table all' 'ip -6 route show default'
  # Rules that are kept in nft are listed already.
  for family in ip ip6; do
    read_line "$R/proc/net/${family}_tables_names"
    [ -z "$LINE" ] || watch_commands "${family}tables-save"
  done
}

has_rules() {
  nft list table inet meshboot >/dev/null 2>&1 && has_mesh_accepts
}

rules_status() {
  loaded=$(true_or_false has_rules)
  status_value rules "$loaded"
  status_row rules "$loaded" "$([ "$loaded" = true ] && echo 'in place' || echo missing)"
}
