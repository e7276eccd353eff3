# up, step 2: zerotier-one.

install_zerotier() {
  STEP=zerotier
  if ! has zerotier-one; then
    suite=$CODENAME
    at=$ZEROTIER_REPOSITORY
    # A release newer than ZeroTier's repository takes the newest suite that is there; its package works.
    if ! dry && ! curl -gfsL -o /dev/null --max-time 30 "$at/debian/$suite/dists/$suite/InRelease"; then
      case $ID in
      debian) suite=bookworm ;;
      *) suite=noble ;;
      esac
    fi
    add_repository zerotier "$at/contact%40zerotier.com.gpg" "$ZEROTIER_FINGERPRINT" "$at/debian/$suite $suite main"
    install zerotier-one
  fi
}

start_zerotier() {
  [ -e "$R/dev/net/tun" ] || run modprobe tun || warn 'there is no /dev/net/tun, which ZeroTier needs'
  if ! is_running zerotier-one; then
    say 'starts zerotier-one'
    run systemctl enable --now zerotier-one.service
  fi
  tries=0
  until dry || { [ -s "$ZT/identity.secret" ] && [ -s "$ZT/identity.public" ]; }; do
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || fail 'zerotier-one makes no identity: see journalctl -u zerotier-one'
    sleep 0.1
  done
}

LOCAL_CONF=/var/lib/zerotier-one/local.conf

# local.conf with ours in it, nothing when that cannot be done. Off docker's bridges, and no ZeroTier packets through the mesh.
with_our_local_conf() { # THEIRS
  ours="{\"settings\":{\"interfacePrefixBlacklist\":[\"docker\",\"br-\",\"veth\"]},\"physical\":{$(echo "$MESH" | sed 's/[^,]*/"&":{"blacklist":true}/g')}}"
  if [ "${1:-$ours}" = "$ours" ]; then
    echo "$ours"
  elif load_tools; then
    merged_local_conf "$1" "$ours"
  fi
}

# Before `down` puts back what was there before us.
release_local_conf() {
  conf=$(read_file "$ZT/local.conf")
  if is_listed $LOCAL_CONF && [ -n "$conf" ] && [ "$conf" != "$(with_our_local_conf '')" ]; then
    use_tool keep_edits_of_local_conf 'local.conf is put back to what it was before meshboot'
  fi
}

# A restart makes the mesh's interface anew, without our routes.
hook_zerotier() {
  put_file $UNITS/zerotier-one.service.d/50-meshboot.conf 644 <<'EOF'
[Service]
ExecStartPost=-+/bin/sh -c 'mkdir -p /run/meshboot; : >/run/meshboot/again; systemctl start --no-block meshboot.service'
EOF
  reload_unit zerotier-one
}

# zerotier-one reads a changed local.conf within 10 s.
configure_zerotier() {
  STEP=local.conf
  conf=$(with_our_local_conf "$(read_file "$ZT/local.conf")")
  if [ -n "$conf" ]; then
    echo "$conf" | put_file $LOCAL_CONF 644
  else
    warn 'local.conf is yours and cannot be merged (no python3, no tools, or not JSON): add docker, br-, veth to its interfacePrefixBlacklist'
  fi
  hook_zerotier
}
