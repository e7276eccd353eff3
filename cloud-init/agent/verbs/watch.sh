# The verb watch, for meshboot-watch.service.

# Addresses, routes and rules as they change, a line each, to the pipe 7. `gone` says that one of the two has ended.
tell_changes() {
  {
    ip -o -4 monitor address route || :
    echo gone
  } >&7 &
  {
    nft monitor || :
    echo gone
  } >&7 &
}

# The kernel drops routes with the address that they need, networkd those that it does not know, a reload of a firewall
# whatever stood in its chains; and takes no route of ours without the route to the mesh's range. A container that comes or goes
# is no such change, but for what dockerd does to rules; a bridge of the user's own is one, which the rules name.
is_ours_to_keep() { # CHANGE
  # shellcheck disable=SC2254 # a pattern
  case $1 in
  *' docker0'* | *" "$DOCKER_BRIDGE* | *' veth'*) return 1 ;;
  Deleted* | default* | *" $DEV "*' inet '* | *': br-'*' inet '* | "$L_POOL_ZEROTIER dev $DEV "* | '# new generation'*) return 0 ;;
  *) return 1 ;;
  esac
}

# With what else comes within that time, since it mostly comes together; 1 when a monitor has ended meanwhile.
wait_for_more() { # SECONDS
  ! timeout "$1" cat <&7 | grep -qx gone
}

# Has what went put back. What fails is tried again after growing pauses until it succeeds, whatever else changes meanwhile, and
# said once: not again while it says the same.
put_back() {
  tries=$((tries + 1))
  if "$0" keep >"$TMP/said" 2>&1; then
    next_try=1
    cat "$TMP/said" >&2
    : >"$TMP/failed"
  else
    cmp -s "$TMP/said" "$TMP/failed" || cat "$TMP/said" >&2
    mv "$TMP/said" "$TMP/failed"
    {
      sleep "$next_try"
      echo "try $tries"
    } >&7 &
    next_try=$((next_try < 30 ? next_try * 2 : 60))
  fi
}

watch() {
  # To systemd any other code is a failure.
  trap 'exit 0' TERM INT
  use_saved_lease
  make_run
  watch_mark >"$RUN/watching"
  keep_in_touch &
  keep_probing &
  # A run of `up` or `down` comes first, and changes much.
  flock "$RUN/lock" true
  mkfifo "$TMP/changes"
  exec 7<>"$TMP/changes"
  tell_changes
  # What has changed before.
  tries=0 next_try=1
  put_back
  kept=0 repeats=0
  while read -r change <&7; do
    # One of an earlier try comes to nothing: there was another since.
    if [ "$change" = "try $tries" ]; then
      put_back
    elif [ "$change" != gone ] && is_ours_to_keep "$change"; then
      # Whoever changes something without end does not keep this server busy.
      [ $(($(uptime_seconds) - kept)) -lt 60 ] || repeats=0
      repeats=$((repeats + 1))
      wait_for_more $((repeats <= 10 ? 1 : 30)) || change=gone
      put_back
      kept=$(uptime_seconds)
    fi
    # systemd starts the service anew.
    [ "$change" != gone ] || fail 'ip monitor or nft monitor has ended'
  done
}
