# up, step 10: report.

# The last lines of the log as the inside of a JSON string.
log_as_json() {
  read_file "$RUN/log" | tail -c 3500 | tr -cd '\n\40-\176' | sed 's/[\\"]/\\&/g' | awk '{ printf "%s\\n", $0 }'
}

heartbeat() { # ok|failed [STEP]
  [ -s "$STATE/token" ] || return 0
  lines=''
  if [ -s "$RUN/changed" ]; then
    steps=$(sort -u "$RUN/changed" | tr '\n' ' ')
    echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) ${steps% }" >"$RUN/repaired"
    lines=",\"repaired\":[\"$(echo "${steps% }" | sed 's/ /","/g')\"]"
  fi
  if [ -n "${2:-}" ]; then
    lines="$lines,\"step\":\"$2\",\"log\":\"$(log_as_json)\""
  fi
  look_at_facts
  printf %s "{\"state\":\"$1\"$lines,\"facts\":$FACTS}" >"$TMP/body"
  call POST "/v1/nodes/$NODE/heartbeat" "$STATE/token" "$TMP/body"
  if [ "$HTTP" = 200 ] && [ -e "$RUN/changed" ]; then
    rm -f "$RUN/changed"
  fi
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $HTTP" >"$RUN/reported"
}

# Takes the lease as it is now; a changed one is applied by the next `up`, which the service starts at once.
take_reported_lease() {
  store_peers
  if answered_lease | cmp -s - "$STATE/lease"; then
    return 0
  fi
  mine="$NODE $L_NETWORK"
  applied="$MESH $L_ZEROTIER_IPV4"
  if use_lease "$TMP/answer" && [ "$NODE $L_NETWORK" = "$mine" ]; then
    store_lease
    if [ "$applied" != "$MESH $L_ZEROTIER_IPV4" ]; then
      : >"$RUN/again"
      warn 'the lease has changed: meshboot up applies it'
    fi
  else
    warn "the Worker's answer is not this node's lease, and is not taken"
  fi
  use_saved_lease
}

# A Worker that does not answer is no failure: what runs keeps running.
report() {
  STEP=report
  say "reports to $URL"
  if dry; then
    return 0
  fi
  heartbeat ok
  case $HTTP in
  200) take_reported_lease ;;
  4*) warn "$(the_problem). Mend that or put a new key into /etc/meshboot/key" ;;
  *) warn "$(the_problem). Reports again within the hour" ;;
  esac
}

send_heartbeat() {
  set_up
  read_settings
  use_saved_lease
  check_system
  STEP=heartbeat
  [ -s "$STATE/token" ] || refuse 'there is no token: meshboot up, with a key in /etc/meshboot/key'
  if [ -s "$RUN/failed" ]; then
    heartbeat failed "$(cat "$RUN/failed")"
  else
    heartbeat ok
  fi
  [ "$HTTP" = 200 ] || fail "$(the_problem)"
}
