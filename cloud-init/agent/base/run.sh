# A run of a verb that changes something: its log, its lock, its end.

need_root() {
  [ -n "$R" ] || [ "$(id -u)" = 0 ] || refuse 'needs root'
}

# The log is for root alone, and whoever can open a lock can hold it. Others may have made the folder before.
make_run() {
  [ -d "$RUN" ] || mkdir -p "$RUN"
  chmod 700 "$RUN"
}

set_up() {
  need_root
  TMP=$(mktemp -d)
  trap leave EXIT
  trap 'exit 143' HUP INT PIPE TERM
  dry || make_run
}

# A stop by a signal is no failure to report. The terminal may be gone, and what is to run again is not to hang on a second signal.
leave() {
  code=$?
  trap - EXIT
  trap '' HUP INT PIPE TERM
  # A signal may have come in the midst of write_new.
  set +eC
  start_stopped_docker
  trap 'rm -rf "$TMP"; exit 143' INT TERM
  # shellcheck disable=SC2086 # names, one word each
  if [ -n "$RESTART_AT_END" ] && ! systemctl restart --no-block $RESTART_AT_END && [ $code = 0 ]; then
    warn "systemd does not start$RESTART_AT_END: see systemctl status$RESTART_AT_END"
    code=1
  fi
  case $code in
  0 | 143) ;;
  *)
    if [ "$LOG" != /dev/null ]; then
      echo "$STEP" >"$RUN/failed"
      if [ -n "$NODE" ] && [ -s "$STATE/token" ] && has_lease; then
        # What the Worker answers counts all the same: somebody may refuse for weeks what this run was to do.
        (
          # Nothing of it goes on after a failure: the lease that is stored is whole, or that of before.
          set -e
          heartbeat failed "$STEP"
          [ "$HTTP" != 200 ] || take_reported_lease
        ) >/dev/null 2>&1
      else
        (tell_failed_boot "$STEP") 2>/dev/null || :
      fi
    fi
    ;;
  esac
  rm -rf "$TMP"
  exit $code
}

lock() {
  exec 9>"$RUN/lock"
  if ! flock -n 9; then
    say 'waits for another meshboot to finish'
    flock 9
  fi
}

# What is changed on a node that was complete, with the same settings and lease, and not booted since, is repaired.
applied_text() {
  echo $VERSION
  cat "$R$CONF" "$STATE/lease"
}
