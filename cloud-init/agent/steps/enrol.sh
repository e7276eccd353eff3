# Enrolment.

# The name to ask for: the setting, or the host name's first label made a DNS label.
wanted_name() {
  if [ -n "$NAME" ]; then
    echo "$NAME"
  else
    label=$(uname -n | sed 's/\..*//' | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9\n' - | sed 's/^-//' | cut -c 1-63 | sed 's/-$//')
    echo "${label:-server}"
  fi
}

ask_enrolment() { # OFFSET of the clock, in seconds
  now=$(($(date +%s) + $1))
  [ -s "$R/etc/machine-id" ] || fail '/etc/machine-id is empty: systemd-machine-id-setup makes one'
  machine=$(tr -d '\n' <"$R/etc/machine-id" | sha256sum | cut -c 1-64)
  identity=$(tr -cd 0-9a-f: <"$ZT/identity.public")
  node=${identity%%:*}
  printf '%s\n' meshboot-enroll-v1 "$HOST" "$node" "$as" "$machine" $now >"$TMP/proof"
  signature=$(zerotier-idtool sign "$ZT/identity.secret" "$TMP/proof" | tr -cd 0-9a-f)
  [ ${#signature} = 192 ] || fail 'zerotier-idtool sign gives no signature'
  prefixes=$(host_networks | awk -v own="$SUBNET4" "$AWK_IP"'
    $2 !~ /^zt/ && !($2 ~ /^br-/ && inside($1, own)) && !seen[$1]++ && n++ < 99 { printf "%s\"%s\"", (n > 1 ? "," : ""), $1 }')
  look_at_facts
  printf '{"identity":"%s","name":"%s","machineId":"%s","timestamp":%s,"signature":"%s","localPrefixes":[%s],"facts":%s}' \
    "$identity" "$as" "$machine" $now "$signature" "$prefixes" "$FACTS" >"$TMP/body"
  call POST /v1/enroll "$ETC/key" "$TMP/body"
}

# A first boot has no NTP yet: the Worker's Date tells the time.
ask_with_the_workers_time() {
  there=$(workers_time)
  if [ -n "$there" ]; then
    offset=$((there - $(date +%s)))
    say "this clock is $offset s off: signs with the Worker's time"
    ask_enrolment $offset
  fi
}

# For the service, which waits that long before its next attempt. A date instead of seconds is ignored.
keep_retry_after() {
  seconds=$(field headers '[Rr]etry-[Aa]fter:')
  case $seconds in
  '' | 0* | *[!0-9]* | ?????*) : >"$RUN/after" ;;
  *) echo "$seconds" >"$RUN/after" ;;
  esac
}

# A saved lease carries on when the Worker cannot be asked, or does not want to.
not_enrolled() { # fail|refuse WHY
  has_lease || "$1" "$2"
  warn "$2. The saved lease stays"
}

enrol_up() {
  if [ ! -s "$ETC/key" ]; then
    has_lease || refuse 'there is neither a lease nor a key in /etc/meshboot/key: write one there, the one that let this server in before, or a new one (POST /v1/keys at the Worker)'
    return 0
  fi
  as=$(wanted_name)
  say "asks $URL for a lease as $as"
  if dry; then
    if has_lease; then
      return 0
    fi
    say 'all else is as the lease will say, and cannot be told before'
    exit 0
  fi
  ask_enrolment 0
  case $HTTP$(field answer TYPE=) in
  422*/clock-skew) ask_with_the_workers_time ;;
  esac
  case $HTTP in
  200) save_lease ;;
  202) not_enrolled fail "$node ($as) waits for approval at the Worker" ;;
  000 | 429 | 5*)
    keep_retry_after
    not_enrolled fail "$(the_problem)"
    ;;
  *) not_enrolled refuse "$(the_problem). Correct that or put a new key into /etc/meshboot/key" ;;
  esac
}

# First the lease, then the token, last the key away: a kill in between only enrols again, for the same lease.
save_lease() {
  old_network=${L_NETWORK:-}
  use_lease "$TMP/answer" || fail "the Worker's answer is no sound lease: $REASON"
  [ "$NODE" = "$node" ] || fail "the Worker's answer is a lease for $NODE, not for $node"
  [ -n "$L_TOKEN" ] || fail "the Worker's answer has no token"
  case $old_network in
  '' | "$L_NETWORK") ;;
  *) refuse "the Worker leases in network $L_NETWORK, and this server is in $old_network: meshboot down first" ;;
  esac
  make_state
  store_lease
  store_peers
  echo "$L_TOKEN" | put_file /var/lib/meshboot/token 600
  rm -f "$ETC/key"
  say "slot $L_SLOT: $L_ZEROTIER_IPV4, $SUBNET4, $SUBNET6"
}

enrol_state() {
  watch_files "$ETC/key"
}
