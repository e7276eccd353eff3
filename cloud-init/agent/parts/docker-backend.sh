# Docker's firewall backend.

# From 29 on dockerd can be told to keep its rules in nft tables of its own, where an accept of iptables counts for nothing.
# What it accepts there is a mark.
BACKEND_MARK=0x100000

has_nft_backend() {
  look_at_docker_major
  [ "${major:-0}" -ge 29 ] || return 1
  look_at_docker
  {
    if [ -s "$R$DAEMON_JSON" ] && load_tools; then
      json_members <"$R$DAEMON_JSON" || :
    fi
    for file in $DOCKER_FRAGMENT $DOCKER_DROPINS $DOCKER_ENVIRONMENTS; do
      read_file "$R$file"
    done
  } | grep -qE '^json firewall-backend "nftables"|^[^#]*--firewall-backend[= ]nftables'
}

# The mark does not pass Docker's drop of what comes straight to a container, so that has to be off: chain pre of our own
# table drops the same, but for the mesh.
backend_options() {
  if has_nft_backend; then
    echo "--allow-direct-routing --bridge-accept-fwmark=$BACKEND_MARK/$BACKEND_MARK"
  fi
}

backend_rules() {
  if has_nft_backend; then
    cat <<EOF
iifname "$DEV" ip daddr $SUBNET4 meta mark set mark or $BACKEND_MARK
iifname "$DEV" ip6 daddr $SUBNET6 meta mark set mark or $BACKEND_MARK
EOF
  fi
}
