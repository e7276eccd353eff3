# Whether forwarding is to be closed, and closed by the policy of FORWARD in iptables.

# The families in which forwarding is to be closed.
closed_families() {
  if ! has dockerd; then
    return 0
  fi
  if docker_is_told ip-forward false || docker_is_told ip-forward-no-drop true || docker_is_told iptables false; then
    return 0
  fi
  if was_off net/ipv4/ip_forward forward4; then
    echo ipv4
  fi
  if [ "$IPV6" = on ] && ! docker_is_told ip6tables false && was_off net/ipv6/conf/all/forwarding closed6; then
    echo ipv6
  fi
}

# Whether forwarding was off before us, or on by dockerd, which has closed it then: but for what the user's own files switch on,
# be it from the next boot on.
was_off() { # SYSCTL FILE
  { grep -qsxF "$1=0" "$STATE/sysctls" || [ -s "$STATE/$2" ]; } && ! is_set_by_user "$1"
}

family_tool() { # FAMILY
  case $1 in
  ipv4) echo iptables ;;
  *) echo ip6tables ;;
  esac
}

# Whether iptables closed it before us, be it by dockerd or by the user. With nft tables of its own dockerd cannot live with that.
was_closed_by_policy() { # FAMILY
  policy=closed6
  [ "$1" != ipv4 ] || policy=forward4
  [ -s "$STATE/$policy" ] && ! is_told_nft_backend
}

has_policy_drop() { # FAMILY
  "$(family_tool "$1")" -w -S FORWARD 2>/dev/null | grep -qx -e '-P FORWARD DROP'
}

is_closed_by_policy() { # FAMILY
  was_closed_by_policy "$1" && has_policy_drop "$1"
}

# dockerd closes FORWARD by its policy when it is the one that switches forwarding on: since the last boot our sysctls are ahead of
# it. Where a router lived behind that policy, it is set in dockerd's place, once a boot; anywhere else it could only cut off what
# came after us. See closing_rules.
close_as_before() {
  if [ -e "$RUN/nft" ] || ! has dockerd || { [ ! -s "$STATE/ways4" ] && [ ! -s "$STATE/ways6" ]; }; then
    return 0
  fi
  look_at_docker_major
  look_at_docker_word
  for family in $(closed_families); do
    if was_closed_by_policy "$family" && [ -s "$STATE/ways${family#ipv}" ] && ! has_policy_drop "$family"; then
      close_forward "$family"
      dry || : >"$RUN/closed-$family"
    fi
  done
}

# dockerd's nft tables would leave it in force for Docker's networks too.
open_for_nft() {
  for family in ipv4 ipv6; do
    if [ -e "$RUN/closed-$family" ] && is_told_nft_backend; then
      say "opens FORWARD in $(family_tool "$family") again: dockerd's nft tables count for nothing behind it"
      run "$(family_tool "$family")" -w -P FORWARD ACCEPT
      run rm -f "$RUN/closed-$family"
    fi
  done
}

close_forward() { # FAMILY
  tool=$(family_tool "$1")
  say "closes FORWARD in $tool, as dockerd does where it switches forwarding on"
  run "$tool" -w -P FORWARD DROP
}

# A dockerd that runs on keeps forwarding on, which it found on when it started: it has not closed it, and chain forward goes. Nor
# does one that starts anew where it was on before us. With nft tables of its own it closes nothing.
close_forward_for_docker() {
  look_at_docker_major
  look_at_docker_word
  for family in $(closed_families); do
    if { was_closed_by_policy "$family" || lives_in_iptables "$family"; } && ! has_policy_drop "$family"; then
      close_forward "$family"
    fi
  done
}

# Whether a dockerd that runs on has its rules there, and networks of that family.
lives_in_iptables() { # FAMILY
  is_running docker && "$(family_tool "$1")" -w -S DOCKER >/dev/null 2>&1 && { [ "$1" = ipv4 ] || has_ipv6_networks; }
}
