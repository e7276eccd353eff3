# The verb controller, for meshboot-controller-work.service: asks the Worker what the controller is to do, and does it. The Worker
# never calls this server.

# Seconds until it asks again a Worker that does not answer, at first and at most.
CONTROLLER_AWAY=15
CONTROLLER_AWAY_MOST=300

# The turn whose controller is here; 0 without one.
look_at_turn() {
  read_line "$R$CONTROLLER_HOME/turn"
  case $LINE in '' | 0* | *[!0-9]* | ?????????*) LINE=0 ;; esac
  has=$LINE
}

# A call of a zerotier-one's API on this host: sets HTTP; the answer is in $TMP/said. Its token goes to curl by standard input.
call_zerotier() { # HOME PORT METHOD PATH [BODY-FILE]
  read_line "$1/authtoken.secret"
  : >"$TMP/said"
  HTTP=000
  case $LINE in '' | *[!A-Za-z0-9]*) return 0 ;; esac
  HTTP=$(echo "header = \"X-ZT1-Auth: $LINE\"" | curl -K - -gsS --noproxy '*' --max-time 20 -X "$3" -H 'Content-Type: application/json' \
    ${5:+--data-binary "@$5"} -o "$TMP/said" -w '%{http_code}' "http://127.0.0.1:$2$4" 2>/dev/null) || HTTP=000
}

# Own builds from 1.16 on have no controller inside. Asked of the member's, which is the same program.
look_whether_capable() {
  call_zerotier "$ZT" 9993 GET /controller
  capable=false
  [ "$HTTP" != 200 ] || capable=true
}

# Known by the answer that the daemon itself gives: systemd says that it runs before it does.
look_whether_running() {
  running=false
  HTTP=000
  if [ "$has" != 0 ] && is_running meshboot-controller; then
    call_zerotier "$R$CONTROLLER_HOME" $CONTROLLER_PORT GET /controller
  fi
  [ "$HTTP" != 200 ] || running=true
}

# Whether the call is one that the Worker may have made here.
is_exchange() { # ID METHOD PATH BODY
  matches "$1" '[a-z][0-9]{1,9}(-[0-9]{1,9})?' || return 1
  matches "$3" '/controller/network/[0-9a-f]{16}(/member/[0-9a-f]{10})?|/unstable/controller/network/[0-9a-f]{16}/member' || return 1
  case $2$4 in GET | DELETE | 'POST{'*) ;; *) return 1 ;; esac
}

# One call, and what came of it as one more item of the list.
do_exchange() { # ID METHOD PATH BODY
  status=0
  : >"$TMP/said"
  if is_exchange "$1" "$2" "$3" "$4"; then
    case $2 in
    POST)
      printf %s "$4" >"$TMP/exchange"
      call_zerotier "$R$CONTROLLER_HOME" $CONTROLLER_PORT POST "$3" "$TMP/exchange"
      ;;
    *) call_zerotier "$R$CONTROLLER_HOME" $CONTROLLER_PORT "$2" "$3" ;;
    esac
    [ "$HTTP" = 000 ] || status=$HTTP
  else
    warn "the Worker asks for what is no call of the controller's: $(printable "$1 $2 $3")"
  fi
  matches "$1" '[a-z0-9-]{1,32}' || return 0
  {
    [ ! -s "$TMP/done" ] || printf ,
    printf '{"id":"%s","status":%s,"body":"' "$1" "$status"
    base64 <"$TMP/said" | tr -d '\n'
    printf '"}'
  } >"$TMP/item"
  cat "$TMP/item" >>"$TMP/done"
}

# A home with its identity and the number of the turn, and nothing else: what it is to know it is told.
make_controller() { # NUMBER IDENTITY
  stop_controller
  say "starts the controller of the mesh, turn $1"
  (
    umask 077
    mkdir "$R$CONTROLLER_HOME"
    printf %s "$2" >"$R$CONTROLLER_HOME/identity.secret"
    echo '{"settings":{"allowSecondaryPort":false,"interfacePrefixBlacklist":["docker","br-","veth"],"portMappingEnabled":false}}' >"$R$CONTROLLER_HOME/local.conf"
    echo "$1" >"$R$CONTROLLER_HOME/turn"
  )
  systemctl restart meshboot-controller.service
}

follow_turn() {
  number=$(field answer NUMBER=)
  handed=$(sed -n 's/^IDENTITY=//p' "$TMP/answer")
  case $(field answer TURN=) in
  yours)
    if ! matches "$number" '[1-9][0-9]{0,7}'; then
      warn "the Worker's turn has no number: $(printable "$number")"
    elif [ "$capable" = true ] && matches "$handed" '[0-9a-f]{10}:0:[0-9a-f]{128}:[0-9a-f]{128}'; then
      make_controller "$number" "$handed"
    elif [ "$has" = "$number" ]; then
      is_running meshboot-controller || systemctl start meshboot-controller.service
    elif [ "$capable" = false ] && [ -z "$incapable" ]; then
      incapable=yes
      warn 'this zerotier-one has no controller inside, as own builds from 1.16 on: install one of ZeroTier (1.14.2, or 1.16.0-2 and later), or move the controller to another server. Nothing was changed'
    fi
    ;;
  other) stop_controller ;;
  esac
}

do_work() {
  sed -n 's/^WORK=//p' "$TMP/answer" >"$TMP/work"
  : >"$TMP/done"
  while IFS=' ' read -r id method path body; do
    do_exchange "$id" "$method" "$path" "$body"
  done <"$TMP/work"
}

# Asks once, with what was done since: sets `pause`, the seconds until the next time.
ask_for_work() {
  look_at_turn
  look_whether_running
  # At a boot it may not answer yet, and another package may come.
  [ "$capable" = true ] || look_whether_capable
  {
    printf '{"node":"%s","has":%s,"running":%s,"capable":%s,"done":[' "$node" "$has" $running "$capable"
    cat "$TMP/done"
    printf ']}'
  } >"$TMP/body"
  call POST /v1/controller/work "$STATE/token" "$TMP/body"
  : >"$TMP/done"
  case $HTTP in
  200)
    away=$CONTROLLER_AWAY
    pause=$(field answer ASK=)
    matches "$pause" '[0-9]{1,4}' || pause=$CONTROLLER_AWAY
    follow_turn
    do_work
    ;;
  # Taken out of the mesh, it hosts nothing.
  403)
    pause=$CONTROLLER_AWAY_MOST
    stop_controller
    ;;
  *)
    [ "$away" != $CONTROLLER_AWAY ] || warn "$(the_problem). What runs goes on"
    pause=$away
    away=$((away * 2 < CONTROLLER_AWAY_MOST ? away * 2 : CONTROLLER_AWAY_MOST))
    ;;
  esac
}

controller() {
  read_settings
  MOST_ANSWERED=4000000
  identity=$(tr -cd 0-9a-f: <"$ZT/identity.public")
  node=${identity%%:*}
  : >"$TMP/done"
  away=$CONTROLLER_AWAY capable=false incapable=''
  while :; do
    ask_for_work
    # What was done is told at once.
    [ -s "$TMP/done" ] || sleep "$pause"
  done
}
