# What keeps the mesh out of this server's firewalls.

# An address of each of the mesh's ranges, and the range.
places_of_the_mesh() {
  echo "$SIX" | pool_awk '{
    other = n == 1 ? 2 : 1
    print txt(first(zt) + other), zt
    print txt(first(pool) + other * s + 1), pool
    if (mesh6 != "") print six($1 "0000000001") "::1", mesh6
  }' -v mesh6="$([ $IPV6 = off ] || echo "$MESH6")"
}

# Whatever drops a packet on its way out, in whichever table, says so at once to the one who sends it. ping keeps that to
# itself; logger does not, and its datagram goes to the port where all is thrown away.
look_at_output() {
  places_of_the_mesh >"$TMP/places"
  while IFS=' ' read -r address range; do
    if logger -d -n "$address" -P 9 meshboot 2>&1 </dev/null | grep -q 'not permitted'; then
      fault "OUTPUT drops what this server itself sends to $range; its containers are not concerned" '' \
        "let it out before what drops it, with ufw: ufw prepend allow out to $range. iptables -S OUTPUT; ip6tables -S OUTPUT; nft list ruleset"
    fi
  done <"$TMP/places"
}

doctor_firewall() {
  if look_at_chains; then
    chains_to_do >"$TMP/gaps"
    while IFS= read -r chain; do
      fault "the nft chain $chain drops before the mesh is let through" '' 'meshboot up'
    done <"$TMP/gaps"
  else
    fault "the nft ruleset cannot be read ($(head -n 1 "$TMP/nft"))" '' 'nft list ruleset'
  fi
  if has_firewalld && ! timeout 4 firewall-cmd --get-policies | grep -q 'meshboot .*meshboot-udp'; then
    fault 'firewalld has the policies meshboot and meshboot-udp not in force' '' 'meshboot up'
  fi
  read_line "$R/proc/net/ip_tables_names"
  if [ -n "$LINE" ] && [ -n "$skipped" ] && iptables-legacy-save 2>/dev/null | grep -qE 'DROP|REJECT'; then
    fault 'iptables-legacy has rules that drop, beside those of iptables, where the accepts for the mesh are' '' 'move them to one of the two'
  fi
  if [ -n "$(ip -o -4 addr show dev "$DEV" 2>/dev/null)" ]; then
    look_at_output
  fi
}

chains_doctor() {
  look firewall settings lease
}
