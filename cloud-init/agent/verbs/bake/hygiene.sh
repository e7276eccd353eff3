# What an image must not have: two servers made of it would have it both.

leftover() { # WHAT PATHS
  LEFT=$((LEFT + 1))
  warn "leftover: $1: $2"
}

name_found() { # WHAT, paths on stdin
  paths=$(head -n 3 | sed "s|^$R||" | tr '\n' ' ')
  [ -z "$paths" ] || leftover "$1" "${paths% }"
}

# What the command prints, a path a line, is refused or named as that.
look_for() { # refuse_found|name_found WHAT COMMAND...
  judge=$1 what=$2
  shift 2
  "$@" 2>/dev/null >"$TMP/found" || :
  "$judge" "$what" <"$TMP/found"
}

none_of() { # WHAT PATH... FIND-EXPRESSION...
  what=$1
  shift
  look_for name_found "$what" find "$@"
}

# Text files with a private key, by its own words: OpenSSH's, PEM, PGP, OpenVPN's, Nebula's; WireGuard's by its setting. The host
# keys are looked at last of all, and `clean` takes fwupd's.
private_keys() {
  find "$R/root/" "$R/home/" "$R/etc/" "$R/opt/" "$R/srv/" "$R/usr/local/etc/" "$R/var/lib/" \( -path "$R/var/lib/cloud" -o -path "$R/var/lib/docker" -o -path "$R/var/lib/fwupd" \) -prune \
    -o -type f -size -256 ! -path "$R/etc/ssh/ssh_host_*" -exec grep -lIsE -e '-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----' -e '-----BEGIN OpenVPN Static[ ]key' \
    -e '^[[:space:]]*(PrivateKey|private-key)[[:space:]]*[=:]' -e '^(AGE-SECRET-KEY-1|PuTTY-User-Key-File)' {} + 2>/dev/null || :
  find "$R/root/" "$R/home/" -maxdepth 3 -path '*/.ssh/id_*' ! -name '*.pub' 2>/dev/null || :
}

# What logs a person or a server in elsewhere.
credentials() {
  find "$R/root/" "$R/home/" -maxdepth 5 -type f \( -path '*/.docker/config.json' -o -name .netrc -o -name .git-credentials -o -name .pgpass -o -name .my.cnf \
    -o -path '*/.aws/credentials' -o -path '*/.config/hcloud/*' -o -path '*/.config/doctl/*' -o -path '*/.config/gcloud/*' -o -path '*/.azure/*' \
    -o -path '*/.kube/config' -o -path '*/.config/gh/hosts.yml' -o -path '*/.gnupg/private-keys-v1.d/*' \) 2>/dev/null || :
  find "$R/var/lib/ubuntu-advantage/private/" -type f 2>/dev/null || :
}

other_identities() {
  find "$R/var/lib/tailscale/tailscaled.state" "$R/etc/wireguard/" "$R/var/lib/netbird/" "$R/etc/netbird/" -type f 2>/dev/null || :
  find "$R/etc/dropbear/" -name 'dropbear_*_host_key' 2>/dev/null || :
}

# What `clean` does not take away: refused before an image is made, and never in one.
somebodys_own() { # refuse_found|name_found
  look_for "$1" 'a private key' private_keys
  look_for "$1" 'credentials' credentials
  look_for "$1" 'an identity of another VPN or SSH server' other_identities
}

none_of_zerotier() {
  none_of 'a ZeroTier identity' "$ZT/" -maxdepth 1 -name 'identity.*'
  none_of "ZeroTier's authtoken" "$ZT/" -maxdepth 1 -name '*token.secret'
  none_of 'ZeroTier peers' "$ZT/peers.d/" -type f
  none_of 'ZeroTier networks' "$ZT/networks.d/" "$ZT/moons.d/" "$ZT/controller.d/" -type f
}

none_of_ssh() {
  build_keys >"$TMP/keys"
  keys=$(find "$R/root/" "$R/home/" -maxdepth 3 -path '*/.ssh/authorized_keys' -exec grep -l -f "$TMP/keys" {} + 2>/dev/null | sed "s|^$R||") || :
  [ -z "$keys" ] || leftover 'a key of the build' "$keys"
}

none_of_the_system() {
  read_line "$R/etc/machine-id"
  case $LINE in '' | uninitialized) ;; *) leftover 'a machine id' /etc/machine-id ;; esac
  none_of 'a machine id' "$R/var/lib/dbus/machine-id" -type f
  none_of 'a cloud-init instance' "$R/var/lib/cloud/" -mindepth 1
  look_for name_found 'shell history' histories
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
  if has dockerd; then
    for file in "$STATE/masked" "$R$UNITS/docker.service.d/50-meshboot-image.conf" "$R$UNITS/docker.socket.d/50-meshboot-image.conf"; do
      [ -e "$file" ] || leftover 'a Docker that would start before there is a lease' "${file#"$R"}"
    done
  fi
  # With another one than is named, the first boot would have to ask the Worker for it.
  [ "$(sha256_of "$PROGRAM")" = "$(read_file "$ETC/agent.sha256")" ] || leftover 'an agent that agent.sha256 does not name' /usr/local/sbin/meshboot
  for program in "$PROGRAM" "$PROGRAM-fetch"; do
    [ -x "$program" ] || leftover 'no agent' "${program#"$R"}"
  done
  none_of 'more than one agent' "$R/usr/local/sbin/" -maxdepth 1 -name 'meshboot.*'
  none_of 'options of a lease' "$ETC/dockerd.env" "$STATE/docker0" "$STATE/interface"
  for file in image.json image.packages; do
    [ -s "$ETC/$file" ] || leftover 'no versions' /etc/meshboot/$file
  done
}

# By their own form, wherever a write that was killed left them.
none_of_meshboot() {
  none_of 'a key, token or lease of Meshboot' "$ETC/key" "$STATE/token" "$STATE/lease" "$STATE/peers" "$STATE/neighbours"
  look_for name_found 'a key or token of Meshboot' grep -rlsE 'mb[akn]_[A-Za-z0-9_-]{20}' "$ETC/" "$STATE/"
}

# All but the host keys, which are removed when the rest is clean.
check_hygiene() {
  STEP=hygiene
  LEFT=0
  none_of_meshboot
  none_of_zerotier
  none_of_docker
  none_of_ssh
  none_of_the_system
  somebodys_own name_found
  check_services
}

# 3 when there is one, and each was named.
sum_up_hygiene() {
  [ "$LEFT" = 0 ] || refuse "leftovers: $LEFT. No image may be made of this server as it is: meshboot bake --yes cleans it, but for private keys, credentials and other VPNs${BAKING:+, and what a running program writes anew. Its identities, logs and user-data are gone already: do not keep it for anything else}"
  say 'clean: an image may be made of this server'
}
