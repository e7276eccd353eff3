# What keeps the mesh out of this server's firewalls.

# A line for each piece that is missing; after set_up and use_saved_lease.
firewall_gaps() {
  has_mesh_accepts || echo 'iptables or ip6tables lacks accepts for the mesh: meshboot up'
  if look_at_chains; then
    chains_to_do | sed 's/.*/the nft chain & drops before the mesh is let through: meshboot up/'
  else
    echo "the nft ruleset cannot be read ($(head -n 1 "$TMP/nft")): nft list ruleset"
  fi
  if has_firewalld && ! timeout 4 firewall-cmd --get-policies | grep -q 'meshboot .*meshboot-udp'; then
    echo 'firewalld has the policies meshboot and meshboot-udp not in force: meshboot up'
  fi
  read_line "$R/proc/net/ip_tables_names"
  if [ -n "$LINE" ] && [ -n "$skipped" ] && iptables-legacy-save 2>/dev/null | grep -qE 'DROP|REJECT'; then
    echo 'iptables-legacy has rules that drop, beside those of iptables, where the accepts for the mesh are: move them to one of the two'
  fi
  docker_gap
}
