# zerotier-one.

install_zerotier() {
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

doctor_zerotier() {
  if ! has zerotier-cli; then
    fault 'not installed' '' 'meshboot up'
  elif ! is_running zerotier-one; then
    fault 'zerotier-one.service does not run' '' 'systemctl start zerotier-one; journalctl -u zerotier-one'
  else
    IFS=' ' read -r _ _ id _ state <<EOF || :
$(timeout 4 zerotier-cli info 2>/dev/null </dev/null)
EOF
    port=$(read_file "$ZT/zerotier-one.port" | tr -cd 0-9)
    case $id-$state in
    -*) fault 'zerotier-cli info says nothing' '' 'systemctl restart zerotier-one; journalctl -u zerotier-one' ;;
    "${NODE:-$id}"-ONLINE) ;;
    "${NODE:-$id}"-*) warning "$state" ONLINE "let UDP ${port:-9993} in and out. TUNNELED is slow, OFFLINE finds no new peers" ;;
    *) fault "the identity is $id" "$NODE, which has the lease" 'put /var/lib/zerotier-one/identity.* back; or meshboot down, a new key, meshboot up' ;;
    esac
    grep -qs ":$(printf %04X "${port:-9993}") " "$R/proc/net/udp" "$R/proc/net/udp6" || warning "nothing listens on UDP ${port:-9993}" '' 'systemctl restart zerotier-one'
  fi
}

zerotier_up() {
  install_zerotier
  start_zerotier
}

# A network that was joined before is not left: zerotier-one reads what it may set only when it starts.
zerotier_down() {
  if [ -e "$STATE/joined" ]; then
    say "stays in network ${L_NETWORK:-}, which was joined before: restarts zerotier-one, which reads its settings only then"
    systemctl restart zerotier-one.service || warn 'zerotier-one does not start: see journalctl -u zerotier-one'
  fi
}

zerotier_state() {
  watch_programs zerotier-one
  watch_files "$R/dev/net/tun" "$ZT/identity.public"
  watch_units zerotier-one
}

zerotier_doctor() {
  look zerotier
}

# It starts with the first boot, which makes its identity.
zerotier_bake() {
  install_zerotier
}
