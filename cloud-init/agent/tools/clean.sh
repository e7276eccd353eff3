# What every server made of an image must have for itself, and what only the making of the image left, is removed.

empty() { # DIRECTORY...
  for directory; do
    find "$R$directory" -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null || :
  done
}

# Also what a journald that writes to the disk has in memory.
clean_logs() {
  journalctl --relinquish-var 2>/dev/null || :
  systemctl stop syslog.socket rsyslog.service 2>/dev/null || :
  empty /var/log/journal /var/lib/systemd/coredump
  find "$R/var/log" -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' \) -exec rm -f {} + 2>/dev/null || :
  find "$R/var/log" -type f -exec truncate -s 0 {} + 2>/dev/null || :
}

# The keys of Packer's own for the time of the build; an operator's stay.
clean_ssh() {
  find "$R/etc/ssh" -name 'ssh_host_*' -exec rm -f {} + 2>/dev/null || :
  find "$R/root" "$R/home" -maxdepth 3 -path '*/.ssh/authorized_keys' -exec sed -i "/$PACKER_KEY/d" {} + 2>/dev/null || :
}

clean() {
  STEP=clean
  say 'removes identities, keys, logs and caches'
  for name in identity.public identity.secret authtoken.secret zerotier-one.port zerotier-one.pid peers.d networks.d moons.d controller.d; do
    rm -rf "${ZT:?}/$name"
  done
  rm -f "$STATE/token" "$STATE/lease" "$STATE/peers" "$R/etc/docker/key.json"
  empty /var/lib/docker /var/lib/containerd
  clean_ssh
  find "$R/root" "$R/home" -maxdepth 2 -name '.*_history' -exec rm -f {} + 2>/dev/null || :
  apt-get clean 2>/dev/null || :
  empty /var/lib/apt/lists /var/cache/apt/archives /var/lib/dhcp /var/lib/dhcpcd
  rm -f "$R/var/lib/systemd/random-seed" "$R/var/lib/systemd/credential.secret" "$R/var/lib/NetworkManager/secret_key"
  # First by its own means, which know of other places too.
  cloud-init clean --logs >/dev/null 2>&1 </dev/null || :
  empty /var/lib/cloud
  rm -f "$R/var/lib/dbus/machine-id"
  # Empty, and not `uninitialized`: systemd would take that for its first boot, and enable each unit that its presets name.
  : >"$R/etc/machine-id"
  clean_logs
}
