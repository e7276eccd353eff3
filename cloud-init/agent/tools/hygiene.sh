# What an image must not have: two servers made of it would have it both.

leftover() { # WHAT PATHS
  LEFT=$((LEFT + 1))
  warn "leftover: $1: $2"
}

none_of() { # WHAT PATH... FIND-EXPRESSION...
  what=$1
  shift
  paths=$(find "$@" 2>/dev/null | head -n 3 | sed "s|^$R||" | tr '\n' ' ')
  [ -z "$paths" ] || leftover "$what" "${paths% }"
}

# What `clean` does not take away: refused before an image is made, and never in one.
somebodys_own() { # refuse_any|none_of
  "$1" 'a private SSH key' "$R/root/" "$R/home/" -maxdepth 3 -path '*/.ssh/id_*' ! -name '*.pub'
  "$1" "another VPN's identity" "$R/var/lib/tailscale/tailscaled.state" "$R/etc/wireguard/" -type f
}

none_of_zerotier() {
  none_of 'a ZeroTier identity' "$ZT/" -maxdepth 1 -name 'identity.*'
  none_of "ZeroTier's authtoken" "$ZT/" -maxdepth 1 -name '*token.secret'
  none_of 'ZeroTier peers' "$ZT/peers.d/" -type f
  none_of 'ZeroTier networks' "$ZT/networks.d/" "$ZT/moons.d/" "$ZT/controller.d/" -type f
}

none_of_ssh() {
  build_keys >"$TMP/keys"
  keys=$(find "$R/root/" "$R/home/" -maxdepth 3 -path '*/.ssh/authorized_keys' -exec grep -lF -f "$TMP/keys" {} + 2>/dev/null | sed "s|^$R||") || :
  [ -z "$keys" ] || leftover 'a key of the build' "$keys"
}

none_of_the_system() {
  read_line "$R/etc/machine-id"
  case $LINE in '' | uninitialized) ;; *) leftover 'a machine id' /etc/machine-id ;; esac
  none_of 'a machine id' "$R/var/lib/dbus/machine-id" -type f
  none_of 'a cloud-init instance' "$R/var/lib/cloud/" -mindepth 1
  none_of 'shell history' "$R/root/" "$R/home/" -maxdepth 2 -name '.*_history'
  none_of 'logs' "$R/var/log/" -type f -size +0
  none_of 'apt lists' "$R/var/lib/apt/lists/" -type f
  none_of 'downloaded packages' "$R/var/cache/apt/archives/" -name '*.deb'
  none_of 'a random seed' "$R/var/lib/systemd/random-seed" "$R/var/lib/systemd/credential.secret"
}

none_of_docker() {
  none_of "Docker's key" "$R/etc/docker/key.json"
  none_of "Docker's state" "$R/var/lib/docker/" -mindepth 1 -maxdepth 1
  none_of "containerd's state" "$R/var/lib/containerd/" -mindepth 1 -maxdepth 1
}

# That a server made of the image will enrol, and that nothing makes an identity before.
check_services() {
  for unit in meshboot.service meshboot.timer; do
    [ "$(systemctl is-enabled $unit 2>/dev/null)" = enabled ] || leftover 'a unit that is not enabled' $unit
  done
  for unit in zerotier-one docker; do
    ! is_running $unit || leftover 'a service that runs' $unit.service
  done
  has_tools || leftover 'no tools of this version' /var/lib/meshboot/tools
  [ -s "$ETC/image.json" ] || leftover 'no versions' /etc/meshboot/image.json
}

# All but the host keys, which are removed when the rest is clean.
check_hygiene() {
  STEP=hygiene
  LEFT=0
  none_of 'a key, token or lease of Meshboot' "$ETC/key" "$STATE/token" "$STATE/lease" "$STATE/peers"
  none_of_zerotier
  none_of_docker
  none_of_ssh
  none_of_the_system
  somebodys_own none_of
  check_services
}

# 3 when there is one, and each was named.
sum_up_hygiene() {
  [ "$LEFT" = 0 ] || refuse "leftovers: $LEFT. No image may be made of this server as it is: meshboot bake --yes cleans it, but for private SSH keys and other VPNs"
  say 'clean: an image may be made of this server'
}
