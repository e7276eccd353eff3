# The rules, loaded and unloaded.

# A quick look at all of them at once: while iptables says what it said when they were there, they are.
accepts_print() {
  echo "$mine"
  for tool in iptables-save ip6tables-save; do
    $tool 2>/dev/null | grep -F -e "$DEV" -e "${MESH##*,}" || :
  done
}

# One at a time: at a boot dockerd, a firewall and `up` call it at once. Not the lock of `up`, for which dockerd would wait.
rules_up() {
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
  dry || [ "$had" = "$mine" ] || drop_accepts
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

rules_down() {
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

rules_state() {
  watch_files "$STATE/rules" "$STATE/uplinks" "$ZT/zerotier-one.port" "$RUN/nft" "$RUN/accepts"
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
