# The verb down.

give_lease_back() {
  read_settings
  call DELETE "/v1/nodes/$NODE" "$STATE/token" /dev/null
  case $HTTP in
  2*) say 'gives the lease back' ;;
  *) fail "$(the_problem). Without --release all is undone and the lease kept" ;;
  esac
}

down() { # [release]
  set_up
  systemctl disable --now meshboot.timer meshboot.service 2>/dev/null || :
  lock
  STEP=down
  if has_lease; then
    if ! use_lease "$STATE/lease"; then
      warn "/var/lib/meshboot/lease is not sound: $REASON. The network is not left; zerotier-cli leave does that"
      NODE=''
    elif [ -n "$1" ]; then
      give_lease_back
    fi
  fi
  take_each down
  rm -rf "$STATE" "$RUN"
  LOG=/dev/null
  STEP=down
  say 'undone, but for packages. To come back: a key in /etc/meshboot/key, then systemctl enable --now meshboot.service meshboot.timer'
}
