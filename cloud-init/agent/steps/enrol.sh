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

# Its lifelines first, as the Worker takes no list without end. What lies inside the own lease is a network of its own, and one
# of ZeroTier's may be the mesh: that is looked at when the lease says which network that is.
local_prefixes() {
  host_lifelines >"$TMP/host-lifelines"
  host_networks >"$TMP/host-networks"
  cat "$TMP/host-lifelines" "$TMP/host-networks" | awk -v own="$SUBNET4" -v joined="$DEV" -v zerotier=" $(zerotier_devices | tr '\n' ' ')" "$AWK_IP"'
    joined != "" && $2 == ":resolver" || index(zerotier, " " $2 " ") || $3 != "" && index(zerotier, " " $3 " ") { next }
    !inside($1, own) && !seen[$1]++ && n++ < 256 { printf "%s\"%s\"", (n > 1 ? "," : ""), $1 }'
}

# 1 when it could not be asked, and the saved lease stays.
ask_enrolment() { # OFFSET of the clock, in seconds
  now=$(($(date +%s) + $1))
  if ! read_secret "$ETC/key"; then
    not_enrolled refuse '/etc/meshboot/key holds no key (mbk_...)'
    return 1
  elif ! look_at_machine; then
    not_enrolled fail '/etc/machine-id is empty: systemd-machine-id-setup makes one'
    return 1
  fi
  identity=$(tr -cd 0-9a-f: <"$ZT/identity.public")
  node=${identity%%:*}
  printf '%s\n' meshboot-enroll-v1 "$HOST" "$node" "$as" "$MACHINE" $now >"$TMP/proof"
  signature=$(zerotier-idtool sign "$ZT/identity.secret" "$TMP/proof" | tr -cd 0-9a-f)
  if [ ${#signature} != 192 ]; then
    not_enrolled fail 'zerotier-idtool sign gives no signature'
    return 1
  fi
  look_at_facts
  printf '{"identity":"%s","name":"%s","machineId":"%s","timestamp":%s,"signature":"%s","localPrefixes":[%s],"facts":%s}' \
    "$identity" "$as" "$MACHINE" $now "$signature" "$(local_prefixes)" "$FACTS" >"$TMP/body"
  call POST /v1/enroll "$ETC/key" "$TMP/body"
}

# A first boot has no NTP yet: the Worker's Date tells the time.
ask_with_the_workers_time() {
  there=$(workers_time)
  if [ -n "$there" ]; then
    offset=$((there - $(date +%s)))
    say "this clock is $offset s off: signs with the Worker's time"
    ask_enrolment $offset || :
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

# What matters most to who looks ahead on a server that serves.
foresee_restart() {
  if [ "$LAYOUT" = compose ] || ! has docker || ! is_running docker; then
    return 0
  fi
  if ! names=$(name_containers); then
    say 'docker ps fails: is docker-cli there? See systemctl status docker'
  elif [ -n "$names" ]; then
    say "with these options dockerd restarts, and with it $names: not before somebody agrees, by --restart-docker"
  else
    say 'with these options dockerd restarts; no container runs'
  fi
}

enrol_up() {
  if [ ! -s "$GIVEN/key" ]; then
    has_lease || refuse 'there is neither a lease nor a key in /etc/meshboot/key: write one there, the one that let this server in before, or a new one (POST /v1/keys at the Worker)'
    return 0
  fi
  as=$(wanted_name)
  say "asks $URL for a lease as $as"
  if dry; then
    if has_lease; then
      return 0
    fi
    say 'all else is as the lease will say, and cannot be told before: sysctls that forward, nft table inet meshboot, accepts in iptables, a route to each other server, options for dockerd'
    foresee_restart
    exit 0
  fi
  ask_enrolment 0 || return 0
  case $HTTP$(field answer TYPE=) in
  422*/clock-skew) ask_with_the_workers_time ;;
  esac
  case $HTTP in
  200) take_lease ;;
  202)
    PENDING="$node ($as) waits for approval at the Worker"
    [ "$(field answer CONTROLLER=)" != yours ] || host_before_lease
    not_enrolled fail "$PENDING"
    ;;
  000 | 429 | 5*)
    keep_retry_after
    not_enrolled fail "$(the_problem)"
    ;;
  *) not_enrolled refuse "$(the_problem). Correct that or put a new key into /etc/meshboot/key" ;;
  esac
}

# The controller that is to let this server in is to run on it: with the token that comes before the lease.
host_before_lease() {
  token=$(field answer TOKEN=)
  matches "$token" 'mbn_[A-Za-z0-9_-]{22,200}' || return 0
  make_state
  put_file /var/lib/meshboot/token 600 <<EOF
$token
EOF
  start_controller_work
  echo 3 >"$RUN/after"
  PENDING="$node ($as) hosts the controller of the mesh, which has to run before it is let in"
}

take_lease() {
  old_network=${L_NETWORK:-}
  if ! use_lease "$TMP/answer"; then
    REASON="the Worker's answer is no sound lease: $REASON"
  elif [ "$NODE" != "$node" ]; then
    REASON="the Worker's answer is a lease for $NODE, not for $node"
  elif [ -z "$L_TOKEN" ]; then
    REASON="the Worker's answer has no token"
  elif [ "${old_network:-"$L_NETWORK"}" != "$L_NETWORK" ]; then
    end_with 3 "the Worker leases in network $L_NETWORK, and this server is in $old_network: meshboot down first"
    use_saved_lease
    return 0
  else
    save_lease
    return 0
  fi
  not_enrolled fail "$REASON"
  use_saved_lease
}

# First the lease, then the token, last the key away: a kill in between only enrols again, for the same lease. The key's end may
# reach the disk before the other two have their names there: a power cut would take all three.
save_lease() {
  make_state
  [ -z "$BOOTING" ] || : >"$STATE/first-boot"
  store_lease
  store_peers
  put_file /var/lib/meshboot/token 600 <<EOF
$L_TOKEN
EOF
  # Not each file system can sync a folder by itself.
  sync "$STATE" 2>/dev/null || sync
  rm -f "$ETC/key"
  say "slot $L_SLOT: $L_ZEROTIER_IPV4, $SUBNET4, $SUBNET6"
}

# A key is there to be asked with, until the Worker takes it.
enrol_state() {
  [ ! -s "$ETC/key" ] || return 1
  watch_files "$ETC/key"
}
