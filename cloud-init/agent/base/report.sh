# What the Worker is told.

# Where this server runs, into LINE: as cloud-init found out, else as the firmware says; empty when neither does.
look_at_provider() {
  read_line "$R/run/cloud-init/cloud-id"
  case $LINE in '' | none | nocloud | configdrive | fallback) read_line "$R/sys/class/dmi/id/sys_vendor" ;; esac
  case $LINE in *[!A-Za-z0-9.,\ _-]*) LINE='' ;; esac
}

# What this node is made of, as JSON, into FACTS.
look_at_facts() {
  read_line "$RUN/facts"
  FACTS=$LINE
  if [ -z "$UNCHANGED" ] || [ -z "$FACTS" ]; then
    read_os_release
    look_at_version dockerd --version
    docker=${LINE#Docker version }
    docker=${docker%%,*}
    look_at_version zerotier-cli -v
    case $docker in *[!A-Za-z0-9.+~-]*) docker='' ;; esac
    case $LINE in *[!0-9.]*) LINE='' ;; esac
    zerotier=$LINE
    look_at_provider
    FACTS="{\"agent\":\"$VERSION\",\"agentSha256\":\"$(sha256_of "$PROGRAM")\",\"os\":\"${OS% *}\",\"docker\":\"$docker\",\"zerotier\":\"$zerotier\",\"provider\":\"$LINE\"}"
    [ ! -d "$RUN" ] || echo "$FACTS" >"$RUN/facts"
  fi
}

# The last lines of the log as the inside of a JSON string.
log_as_json() {
  read_file "$RUN/log" | tail -c 3500 | tr -cd '\n\40-\176' | sed 's/[\\"]/\\&/g' | awk '{ printf "%s\\n", $0 }'
}

# What was last found of others as the inside of a JSON object, into PROBED.
look_at_probes() {
  PROBED='"pairs":[]'
  read_line "$RUN/probes"
  probes=$LINE
  read_line "$R/proc/uptime"
  [ -n "$probes" ] && [ -n "$LINE" ] || return 0
  seconds=$((${LINE%%.*} - ${probes%% *}))
  # The Worker was away for long.
  [ $seconds -lt 86400 ] || return 0
  PROBED="\"secondsAgo\":$seconds,${probes#* }"
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
  elif [ -n "$BOOTING" ]; then
    lines="$lines,$(boot_end)"
  fi
  lines=$lines${FINDINGS:+",\"findings\":$FINDINGS"}
  if [ "$HOSTS" = on ]; then
    read_line "$STATE/hosts"
    lines="$lines,\"hosts\":\"$LINE\""
  fi
  # Where settings cannot be read, nobody has said that it may.
  if [ "${PROBES:-off}" = on ]; then
    look_at_probes
    lines="$lines,\"probes\":{$PROBED}"
  fi
  look_at_facts
  printf %s "{\"state\":\"$1\"$lines,\"facts\":$FACTS}" >"$TMP/body"
  call POST "/v1/nodes/$NODE/heartbeat" "$STATE/token" "$TMP/body"
  if [ "$HTTP" = 200 ] && [ -e "$RUN/changed" ]; then
    rm -f "$RUN/changed"
  fi
  if [ "$HTTP$1" = 200ok ] && [ -n "$BOOTING" ]; then
    rm -f "$STATE/first-boot"
  fi
  problem=''
  [ "$HTTP" = 200 ] || problem=$(field answer TYPE=)
  printf '%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $HTTP${problem:+ $problem}" >"$RUN/reported"
}

# At any other time than the end of a run of `up`.
heartbeat_of_last_up() {
  read_line "$RUN/failed"
  if [ -n "$LINE" ]; then
    heartbeat failed "$LINE"
  else
    heartbeat ok
  fi
}

# Takes the lease as it is now; a changed one is applied by the next `up`, which the service starts at once.
take_reported_lease() {
  store_peers
  if answered_lease | cmp -s - "$STATE/lease"; then
    return 0
  fi
  mine="$NODE $L_NETWORK"
  applied="$MESH $L_ZEROTIER_IPV4 $L_CONTROLLER"
  if use_lease "$TMP/answer" && [ "$NODE $L_NETWORK" = "$mine" ]; then
    store_lease
    if [ "$applied" != "$MESH $L_ZEROTIER_IPV4 $L_CONTROLLER" ]; then
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
  200)
    take_reported_lease
    follow_hosts
    ;;
  4*) warn "$(the_problem). Correct that or put a new key into /etc/meshboot/key" ;;
  *) warn "$(the_problem). Reports again within the hour" ;;
  esac
  put_hosts || :
}
