# What every server made of an image must have for itself, and what only the making of the image left, is removed.

# A slash behind it, as it may be a link to another disk.
empty() { # DIRECTORY...
  for directory; do
    find "$R$directory/" -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null || :
  done
}

# Also what a journald that writes to the disk has in memory.
clean_logs() {
  journalctl --relinquish-var 2>/dev/null || :
  systemctl stop syslog.socket rsyslog.service 2>/dev/null || :
  empty /var/log/journal /var/lib/systemd/coredump
  find "$R/var/log/" -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' \) -exec rm -f {} + 2>/dev/null || :
  find "$R/var/log/" -type f -exec truncate -s 0 {} + 2>/dev/null || :
}

# As patterns, what a line of authorized_keys has when it was put there for the time of the build: the comment of some of Packer's keys, and
# the key that a template tells of. An operator's own keys stay.
build_keys() {
  echo ' packer_meshboot$'
  echo ' packer_[0-9a-f]\{8\}-[0-9a-f-]*$'
  printf '%s\n' "${MESHBOOT_BUILD_KEY:-}" | cut -s -d ' ' -f 2 | grep . || :
}

# Of shells, editors and pagers.
histories() {
  find "$R/root/" "$R/home/" -maxdepth 2 -type f \( -name '.*_history' -o -name .histfile -o -name .zhistory -o -name .viminfo -o -name .lesshst -o -name .wget-hsts \) 2>/dev/null || :
  find "$R/root/" "$R/home/" -maxdepth 5 -type f -path '*/.local/share/fish/fish_history' 2>/dev/null || :
}

clean_build_keys() {
  build_keys >"$TMP/keys"
  find "$R/root/" "$R/home/" -maxdepth 3 -path '*/.ssh/authorized_keys' >"$TMP/authorized" 2>/dev/null || :
  while IFS= read -r file; do
    # Written over, as its owner is to keep it.
    if grep -q -f "$TMP/keys" "$file"; then
      grep -v -f "$TMP/keys" "$file" >"$TMP/others" || [ $? = 1 ]
      cat "$TMP/others" >"$file"
    fi
  done <"$TMP/authorized"
}

# Package managers that start by themselves would bring their lists back, and fwupd its key.
stop_timers() {
  systemctl stop apt-daily.timer apt-daily-upgrade.timer apt-daily.service apt-daily-upgrade.service unattended-upgrades.service \
    fwupd-refresh.timer fwupd-refresh.service fwupd.service 2>/dev/null || :
}

clean() {
  STEP=clean
  say 'removes identities, keys, logs and caches'
  stop_timers
  find "$ZT/" -maxdepth 1 \( -name 'identity.*' -o -name '*.secret' -o -name 'zerotier-one.p*' \) -exec rm -f {} + 2>/dev/null || :
  rm -rf "${ZT:?}/peers.d" "$ZT/networks.d"
  rm -f "$STATE/token" "$STATE/lease" "$STATE/peers" "$STATE/neighbours" "$R/etc/docker/key.json"
  # fwupd makes them anew.
  empty /var/lib/fwupd/pki
  # One agent an image, without the one before.
  find "$R/usr/local/sbin/" -maxdepth 1 -name 'meshboot.*' -exec rm -f {} + 2>/dev/null || :
  # Of a write that was killed.
  find "$ETC/" "$STATE/" -type f -name '*.meshboot-tmp' -exec rm -f {} + 2>/dev/null || :
  rm -f "$ETC/key.new" "$ETC/meshboot.conf.new"
  empty /var/lib/docker /var/lib/containerd
  clean_build_keys
  histories | while IFS= read -r file; do
    rm -f "$file"
  done
  apt-get clean 2>/dev/null || :
  empty /var/lib/apt/lists /var/cache/apt/archives /var/lib/dhcp /var/lib/dhcpcd
  # Still running, it would save another one when the server is switched off.
  systemctl stop systemd-random-seed.service 2>/dev/null || :
  rm -f "$R/var/lib/systemd/random-seed" "$R/var/lib/systemd/credential.secret" "$R/var/lib/NetworkManager/secret_key"
  # First by its own means, which know of other places too.
  cloud-init clean --logs >/dev/null 2>&1 </dev/null || :
  empty /var/lib/cloud
  rm -f "$R/var/lib/dbus/machine-id"
  # Empty, and not `uninitialized`: systemd would take that for its first boot, and enable each unit that its presets name.
  : >"$R/etc/machine-id"
  clean_logs
}

# Last of all: from here on sshd takes no further login until the next boot makes new ones.
drop_host_keys() {
  if [ "$LEFT" = 0 ]; then
    find "$R/etc/ssh/" -name 'ssh_host_*' -exec rm -rf {} + 2>/dev/null || :
    none_of 'SSH host keys' "$R/etc/ssh/" -name 'ssh_host_*'
  fi
  if [ "$LEFT" = 0 ]; then
    say 'the SSH host keys are gone: no new login before the next boot. Shut this server down now, and boot it only as an image'
  fi
}
