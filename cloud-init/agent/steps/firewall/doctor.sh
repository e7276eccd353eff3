# What keeps the mesh out of this server's firewalls.

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
}

chains_doctor() {
  look firewall settings lease
}
