# zerotier-one.

add_zerotier_repository() {
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
}

install_zerotier() {
  if ! has zerotier-one; then
    apt_has zerotier-one || add_zerotier_repository
    install zerotier-one
  fi
}

start_zerotier() {
  if ! has_tun; then
    run modprobe tun 2>/dev/null || :
    dry || has_tun || warn "$(tun_fault)"
  fi
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
  elif ! has_tun; then
    why=$(tun_fault)
    fault "${why%%: *}" '' "${why#*: }"
  else
    IFS=' ' read -r _ _ id _ state <<EOF || :
$(timeout 4 zerotier-cli info 2>/dev/null </dev/null)
EOF
    port=$(read_file "$ZT/zerotier-one.port" | tr -cd 0-9)
    case $id-$state in
    -*) fault 'zerotier-cli info says nothing' '' 'systemctl restart zerotier-one; journalctl -u zerotier-one' ;;
    "${NODE:-$id}"-ONLINE) ;;
    "${NODE:-$id}"-OFFLINE)
      if timeout 4 zerotier-cli peers 2>/dev/null </dev/null | grep -q ' LEAF .* DIRECT '; then
        warning "OFFLINE: ZeroTier's roots do not answer, other nodes do" ONLINE 'wait for the roots: what is connected stays connected, new nodes are not found'
      else
        warning OFFLINE ONLINE "let UDP ${port:-9993} in and out. Where it is open, ZeroTier's roots are away: what is connected stays connected, new nodes are not found"
      fi
      ;;
    "${NODE:-$id}"-*) warning "$state" ONLINE "let UDP ${port:-9993} in and out: TUNNELED is slow" ;;
    *) fault "the identity is $id" "$NODE, which has the lease" 'put /var/lib/zerotier-one/identity.* back; or meshboot down, a new key, meshboot up' ;;
    esac
    look_at_uplinks_kept_off
    if [ -n "$OFF" ]; then
      level=warning
      [ -z "$LEFT" ] || level=note
      finding $level "local.conf keeps ZeroTier off $OFF, by which this server gets out" '' "meshboot up; what is yours in interfacePrefixBlacklist of /var/lib/zerotier-one/local.conf: take it out"
    fi
    grep -qs ":$(printf %04X "${port:-9993}") " "$R/proc/net/udp" "$R/proc/net/udp6" || warning "nothing listens on UDP ${port:-9993}" '' 'systemctl restart zerotier-one'
  fi
}

zerotier_up() {
  install_zerotier
  start_zerotier
  # Where nothing had to be installed, the lease says so soon enough.
  [ -z "$LISTS" ] || tell_boot packages
}

# A network that was joined before is not left: zerotier-one reads what it may set only when it starts.
zerotier_down() {
  if [ -e "$STATE/joined" ]; then
    say "stays in network ${L_NETWORK:-}, which was joined before: restarts zerotier-one, which reads its settings only then"
    run systemctl restart zerotier-one.service || warn 'zerotier-one does not start: see journalctl -u zerotier-one'
  fi
}

# The package carries other networks too, and one that was joined before us.
zerotier_consent() {
  is_to_purge zerotier || return 0
  others=$(find "$ZT/networks.d" -name '*.conf' 2>/dev/null | sed -n 's|^.*/\([0-9a-f]*\)\.conf$|\1|p' | sort | grep -vxF "${L_NETWORK:-none}" | tr '\n' ' ') || :
  [ ! -e "$STATE/joined" ] || others="$others${L_NETWORK:-} "
  [ -z "$others" ] || refuse "zerotier-one is in networks that are not ours: ${others% }. Nothing was undone. zerotier-cli leave them first, or leave zerotier out of --purge="
  check_removal zerotier-one
}

zerotier_purge() {
  ! is_to_purge zerotier || remove_packages zerotier-one
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
