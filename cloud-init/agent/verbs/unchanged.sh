# Whether anything has changed on this host since a run of `up` that had nothing to do.

DOCKER_NETWORKS=/var/lib/docker/network/files/local-kv.db

# All that the steps look at, by few processes. A file is told by its times, size and mode; Docker's networks and containers
# by those of its own files.
host_state() {
  applied_text
  for name in curl nft iptables ip dockerd docker docker-compose zerotier-one; do
    command -v $name || :
  done
  set -- "$PROGRAM" "$ETC/key" "$STATE/docker0" "$STATE/rules" "$STATE/interface" "$STATE/masked" "$STATE/firewalld" "$STATE/direct" \
    "$RUN/failed" "$RUN/restarting" "$RUN/reload" "$RUN/again" "$ZT/identity.public" "$ZT/zerotier-one.port" "$R$DIRECT" "$R/dev/net/tun" \
    "$R$DAEMON_JSON" "$R/etc/default/docker" "$R/etc/os-release" "$R/etc/resolv.conf" "$R/usr/libexec/docker/cli-plugins" \
    "$R$DOCKER_NETWORKS" "$R/var/lib/docker/containers" "$R/var/lib/dpkg/status"
  while read -r path; do
    set -- "$@" "$R$path"
  done <"$STATE/files"
  stat -c '%n %i %Z %s %a' "$@" 2>&1 || :
  while IFS='=' read -r key _; do
    read_line "$R/proc/sys/$key"
    echo "$LINE"
  done <"$R$SYSCTL"
  {
    ip -o addr show
    ip -4 route show table all
    ip -6 route show default
    nft -s list ruleset
    # Those that are kept in nft are listed already.
    for family in ip ip6; do
      read_line "$R/proc/net/${family}_tables_names"
      [ -z "$LINE" ] || ${family}tables-save
    done
    systemctl show -p Id,ActiveState,UnitFileState,MainPID,NeedDaemonReload,DropInPaths docker.service zerotier-one.service NetworkManager.service \
      systemd-networkd.service firewalld.service nftables.service netfilter-persistent.service ufw.service meshboot-ipv6nat.service
    zerotier-cli listnetworks
  } 2>&1 </dev/null | sed '/^# /d; s/ \(valid_lft\|expires\) .*//; s/\[[0-9:]*\]//'
}

is_unchanged() {
  rm -f "$TMP/state"
  # Who agrees to a restart of dockerd knows of something to mend.
  if [ -z "$REPAIRS" ] || [ "$AGREED" = yes ] || dry || { has dockerd && [ ! -e "$R$DOCKER_NETWORKS" ]; } || [ ! -e "$R$SYSCTL" ]; then
    return 1
  fi
  host_state >"$TMP/state"
  if ! cmp -s "$TMP/state" "$RUN/unchanged"; then
    return 1
  fi
  UNCHANGED=yes
}

# Only what was the same before the run and after it has been looked at by each step.
remember_state() {
  rm -f "$RUN/unchanged"
  if [ -e "$TMP/state" ] && host_state | cmp -s - "$TMP/state"; then
    mv "$TMP/state" "$RUN/unchanged"
  fi
}
