# The verb down.

down_usage() { # WHY
  warn "$1: meshboot down [--dry-run] [--restart-docker] [--release] [--purge[=zerotier,docker]]"
  exit 2
}

give_lease_back() {
  read_settings
  say "gives the lease back at $URL"
  if dry; then
    return 0
  fi
  call DELETE "/v1/nodes/$NODE" "$STATE/token" /dev/null
  case $HTTP in
  2*) ;;
  *) fail "$(the_problem). Without --release all is undone and the lease kept" ;;
  esac
}

# NODE stays empty when there is none, or none that is sound: then 1.
look_at_own_lease() {
  if has_lease && ! use_lease "$STATE/lease"; then
    NODE=''
    return 1
  fi
}

# The program last: until then the same command can be run again. An image has brought drop-ins of its own.
remove_ourselves() {
  for path in /etc/meshboot $UNITS/meshboot.service $UNITS/meshboot.timer $UNITS/meshboot.service.d $UNITS/meshboot.timer.d \
    $UNITS/docker.service.d/50-meshboot-image.conf $UNITS/docker.socket.d/50-meshboot-image.conf $UNITS/ssh.service.d/50-meshboot-image.conf \
    /usr/local/sbin/meshboot-fetch /usr/local/sbin/meshboot.previous /usr/local/sbin/meshboot.new /usr/local/sbin/meshboot.meshboot-tmp \
    /usr/local/sbin/meshboot.previous.meshboot-tmp /usr/local/sbin/meshboot; do
    if [ -e "$R$path" ] || [ -L "$R$path" ]; then
      say "removes $path"
      dry || rm -rf "$R$path"
      case $path in *.d/*) dry || rmdir "$R${path%/*}" 2>/dev/null || : ;; esac
    fi
  done
  run systemctl daemon-reload
  run systemctl reset-failed meshboot.service 2>/dev/null || :
  packages='curl, nftables and what else it needed'
  is_to_purge docker || packages="Docker, $packages"
  is_to_purge zerotier || packages="zerotier-one, $packages"
  [ -n "$release" ] || say "the lease stays at the Worker: DELETE /v1/nodes/${NODE:-:node} there ends it"
  say "what stays here: the packages $packages; /var/lib/zerotier-one with this server's ZeroTier identity; /var/lib/docker with images and volumes; the journal; what cloud-init keeps of user-data below /var/lib/cloud"
}

down() { # ARGUMENT...
  STEP=down
  release='' purge=''
  for word; do
    case $word in
    --dry-run) DRY='dry run: ' ;;
    --restart-docker) AGREED=yes ;;
    --release) release=yes ;;
    --purge) purge=yes ;;
    --purge=*)
      purge=yes
      PURGE=${word#*=}
      matches "$PURGE" '(zerotier|docker)(,(zerotier|docker))?' || down_usage "$(printable "$word") is not known: zerotier and docker are"
      ;;
    *) down_usage "$(printable "$word") is not known" ;;
    esac
  done
  set_up
  look_at_own_lease || :
  find_docker_socket
  # In a dry run last, as in one of `up`: what is refused is part of the plan.
  dry || take_each consent
  STEP=down
  if [ -n "$release" ] && [ -n "$NODE" ]; then
    give_lease_back
  fi
  say 'stops and disables meshboot.timer and meshboot.service'
  if ! dry; then
    systemctl disable --now meshboot.timer meshboot.service 2>/dev/null || :
    lock
  fi
  # An `up` may have enrolled meanwhile.
  look_at_own_lease ||
    warn "/var/lib/meshboot/lease is not sound: $REASON. The network is not left; zerotier-cli leave does that"
  take_each down
  STEP=down
  say 'removes /var/lib/meshboot and /run/meshboot'
  dry || rm -rf "$STATE" "$RUN"
  LOG=/dev/null
  if [ -n "$purge" ]; then
    take_each purge
    STEP=down
    remove_ourselves
  elif ! dry; then
    say 'undone, but for packages. To come back: a key in /etc/meshboot/key, then systemctl enable --now meshboot.service meshboot.timer'
  fi
  if dry; then
    take_each consent
  fi
}
