# Whether our rules are in force.

doctor_rules() {
  wanted_rules
  if ! nft list table inet meshboot >/dev/null 2>&1; then
    fault 'nft table inet meshboot is gone' '' 'meshboot up; systemctl status nftables'
  # While Docker has networks that it has not told of, they may be those of before.
  elif [ "$(rules_print)" != "$(read_file "$RUN/nft")" ] && { [ -z "$(own_bridges)" ] || ! is_docker_to_tell; }; then
    fault 'nft table inet meshboot was changed, or is out of date' '' 'meshboot up'
  fi
  has_mesh_accepts || fault "iptables or ip6tables lacks accepts for the mesh, or somebody's drop stands before them" '' 'meshboot up'
}

rules_doctor() {
  look rules settings lease
}
