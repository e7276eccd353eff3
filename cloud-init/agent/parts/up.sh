# The verb up.

set_up() {
  need_root
  TMP=$(mktemp -d)
  trap leave EXIT
  trap 'exit 143' TERM INT
  if ! dry; then
    mkdir -p "$RUN"
    # The log is for root alone.
    chmod 700 "$RUN"
  fi
}

# A stop by a signal is no failure to report.
leave() {
  rc=$?
  trap - EXIT
  set +e
  case $rc in
  0 | 143) ;;
  *)
    if [ "$LOG" != /dev/null ]; then
      echo "$STEP" >"$RUN/failed"
      if [ -n "$NODE" ]; then
        (heartbeat failed "$STEP") >/dev/null 2>&1
      fi
    fi
    ;;
  esac
  rm -rf "$TMP"
  exit $rc
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

look_for_repairs() {
  if applied_text | cmp -s - "$RUN/applied"; then
    REPAIRS=yes
  fi
}

remember_applied() {
  [ ! -e "$RUN/failed" ] || rm -f "$RUN/failed"
  if [ -z "$REPAIRS" ]; then
    mv "$TMP/applied" "$RUN/applied"
  fi
}

prepare_host() {
  configure_network_services
  apply_sysctls
  open_firewalls
  load_rules
}

up() {
  set_up
  if ! dry; then
    lock
    LOG=$RUN/log
    : >"$LOG"
  fi
  STEP=settings
  read_settings
  if has_lease; then
    use_saved_lease
    look_for_repairs
  fi
  check_system
  if is_unchanged; then
    say 'nothing has changed'
    report
    return 0
  fi
  finish_interrupted_install
  wait_for_network
  install_tools
  check_overlap
  install_zerotier
  start_zerotier
  enrol
  fetch_tools
  check_pool_size
  check_overlap
  configure_zerotier
  configure_network_services
  join_network
  # ZeroTier asks its controller meanwhile.
  prepare_host
  wait_for address
  apply_routes
  configure_docker
  configure_ipv6nat
  dry || remember_state
  # The Worker may answer the report with another lease, which is not applied yet.
  applied_text >"$TMP/applied"
  report
  STEP=up
  if ! dry; then
    remember_applied
  fi
  say "$NODE: $L_ZEROTIER_IPV4, $SUBNET4, $SUBNET6"
}

# Sleeps that many seconds, and up to as many again: servers ordered together shall not come back together. Ends when
# zerotier-one has restarted, which makes the interface anew.
sleep_about() { # SECONDS
  left=$(($1 + $(od -An -N2 -tu2 /dev/urandom) % ($1 + 1)))
  while [ $left -gt 0 ] && [ ! -e "$RUN/again" ]; do
    sleep 5
    left=$((left - 5))
  done
}

# For the service. Each attempt is a process of its own; $RUN/again asks for one more, a few times at once and then slowly:
# whatever asks without end must not restart dockerd without end.
retry_up() {
  mkdir -p "$RUN"
  delay=5
  repeats=0
  while rm -f "$RUN/again" "$RUN/after"; do
    rc=0
    "$0" up || rc=$?
    case $rc in
    0)
      if [ ! -e "$RUN/again" ]; then
        exit 0
      fi
      repeats=$((repeats + 1))
      if [ $repeats -gt 3 ]; then
        sleep 300
      fi
      ;;
    3) sleep_about 1800 ;;
    *)
      after=$(read_file "$RUN/after")
      sleep_about "${after:-$delay}"
      delay=$((delay < 150 ? delay * 2 : 300))
      ;;
    esac
  done
}
