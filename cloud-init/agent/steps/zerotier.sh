# zerotier-one.

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

# A restart makes the mesh's interface anew, without our routes.
hook_zerotier() {
  put_file $UNITS/zerotier-one.service.d/50-meshboot.conf 644 <<'EOF'
[Service]
ExecStartPost=-+/bin/sh -c 'mkdir -p /run/meshboot; : >/run/meshboot/again; systemctl start --no-block meshboot.service'
EOF
  reload_unit zerotier-one
}
