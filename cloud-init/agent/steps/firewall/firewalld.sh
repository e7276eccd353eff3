# firewalld.

has_firewalld() {
  [ -d "$R/etc/firewalld" ] && is_running firewalld
}

firewalld_settings() { # [--permanent]
  for what in --list-all-zones --list-all-policies '--direct --get-all-rules'; do
    # shellcheck disable=SC2086 # one word or two
    firewall-cmd "$@" $what
  done | sed 's/ (.*//; /^  interfaces:/d' | sort
}

# A reload, which alone makes a policy count, loses what the user has set for now only. Interfaces it keeps.
can_reload_firewalld() {
  [ "$(firewalld_settings)" = "$(firewalld_settings --permanent)" ] ||
    ! warn 'firewalld has settings that a reload would lose, so it is not reloaded, and goes on as it is: firewall-cmd --runtime-to-permanent, or --reload'
}

reload_firewalld() {
  firewall-cmd -q --reload || ! warn 'firewalld does not reload: see journalctl -u firewalld'
}

rich_rule() { # SOURCE REST
  family=ipv4
  case $1 in *:*) family=ipv6 ;; esac
  echo "<rule family=\"$family\"><source address=\"$1\"$2<accept/></rule>"
}

policy() { # EGRESS-ZONE, rules on stdin
  cat <<EOF
<?xml version="1.0" encoding="utf-8"?>
<policy priority="-100" target="CONTINUE">
<ingress-zone name="ANY"/>
<egress-zone name="$1"/>
$(cat)
</policy>
EOF
}

# Out of Docker's zone firewalld lets everything. Chain pre keeps strangers off the lease: addresses are enough here.
mesh_policy() {
  {
    rich_rule "$L_POOL_ZEROTIER" "/><destination address=\"$SUBNET4\"/>"
    rich_rule "$L_POOL_DOCKER" "/><destination address=\"$SUBNET4\"/>"
    rich_rule "${MESH##*,}" "/><destination address=\"$SUBNET6\"/>"
  } | policy ANY
}

port_policy() {
  rest=" invert=\"True\"/><port port=\"$(zerotier_port)\" protocol=\"udp\"/>"
  {
    rich_rule "$L_POOL_ZEROTIER" "$rest"
    rich_rule "${MESH##*,}" "$rest"
  } | policy HOST
}

# In the very form in which firewalld writes its file of iptables rules, so that our lines stay known.
direct_rules() {
  for family in ipv4 ipv6; do
    [ $family$IPV6 = ipv6off ] || echo "  <chain ipv=\"$family\" table=\"filter\" chain=\"DOCKER-USER\"/>"
  done
  # shellcheck disable=SC2046 # five words
  mesh_accepts xml $(our_words)
}

# The user's part of that file. A chain that rules of the user's use by now stays.
other_direct() {
  if [ ! -e "$R$DIRECT" ]; then
    printf '%s\n' '<?xml version="1.0" encoding="utf-8"?>' '<direct>' '</direct>'
    return 0
  fi
  awk -v ours="$STATE/direct" '
    BEGIN { while ((getline text < ours) > 0) mine[text] }
    { line[++n] = $0 }
    / chain="DOCKER-USER" priority=/ && !($0 in mine) { used = 1 }
    END { for (i = 1; i <= n; i++) if (!(line[i] in mine) || used && line[i] ~ /<chain /) print line[i] }' "$R$DIRECT"
}

put_direct() { # FILE
  direct=$(cat "$1")
  write_whole "$R$DIRECT" 644 "$direct$NL"
}

# Policies, since a zone for the mesh would open or close the host to it; direct rules, since each reload empties iptables.
open_firewalld() {
  mesh_policy >"$TMP/mesh"
  port_policy >"$TMP/port"
  other_direct >"$TMP/theirs"
  direct_rules | grep -vxF -f "$TMP/theirs" >"$TMP/ours" || :
  awk -v ours="$TMP/ours" '/<\/direct>/ { while ((getline text < ours) > 0) print text } { print }' "$TMP/theirs" >"$TMP/direct"
  if [ -e "$STATE/firewalld" ] && cmp -s "$TMP/direct" "$R$DIRECT" && cmp -s "$TMP/mesh" "$R$POLICIES/meshboot.xml" &&
    cmp -s "$TMP/port" "$R$POLICIES/meshboot-udp.xml" || ! can_reload_firewalld; then
    return 0
  fi
  say 'adds policies meshboot, meshboot-udp and direct rules to firewalld and reloads it'
  # Only a reload that went well says that firewalld has what the files say.
  dry || rm -f "$STATE/firewalld"
  put_file $POLICIES/meshboot.xml 644 <"$TMP/mesh"
  put_file $POLICIES/meshboot-udp.xml 644 <"$TMP/port"
  if dry; then
    return 0
  fi
  [ -e "$R$DIRECT" ] || : >"$STATE/no-direct"
  # All that may be ours, whenever a kill comes.
  read_file "$STATE/direct" | cat - "$TMP/ours" >"$TMP/either"
  put_file /var/lib/meshboot/direct 600 <"$TMP/either"
  put_direct "$TMP/direct"
  put_file /var/lib/meshboot/direct 600 <"$TMP/ours"
  reload_firewalld || fail 'what the mesh needs is written, and not in force'
  : >"$STATE/firewalld"
}

close_firewalld() {
  reload=:
  if is_running firewalld && can_reload_firewalld; then
    reload=reload_firewalld
  fi
  say "takes direct rules and policies out of firewalld$([ $reload = : ] || echo ' and reloads it')"
  if dry; then
    drop_files /firewalld/
    return 0
  fi
  if [ -e "$R$DIRECT" ]; then
    other_direct >"$TMP/theirs"
    put_direct "$TMP/theirs"
    if [ -e "$STATE/no-direct" ] && ! grep -q ipv= "$R$DIRECT"; then
      rm -f "$R$DIRECT" "$R$DIRECT.old"
    fi
  fi
  drop_files /firewalld/
  $reload || :
}

firewalld_up() {
  if has_firewalld; then
    open_firewalld
  fi
}

firewalld_down() {
  if [ -e "$STATE/direct" ]; then
    close_firewalld
  fi
}

firewalld_state() {
  watch_files "$STATE/firewalld" "$STATE/direct" "$R$DIRECT"
  watch_units firewalld
}
