# Talking with the Worker.

# A first boot may be ahead of its network. Nothing is asked of a server that has its lease, or all that an image brings.
wait_for_network() {
  STEP=network
  tries=0
  # Without curl apt has to find the network.
  if dry || has_lease || ! has curl || [ -e "$ETC/image.json" ]; then
    return 0
  fi
  until curl -gsS -o /dev/null --max-time 10 "$URL/healthz" </dev/null 2>"$TMP/curl"; do
    tries=$((tries + 1))
    why="$URL does not answer ($(head -n 1 "$TMP/curl"))"
    [ $tries -lt 10 ] || fail "$why: check this server's network and DNS, the Worker, and URL in $CONF"
    say "$why: tries again, $tries of 10"
    sleep $tries
  done
}

# Takes the file's key or token into `secret`; 1 when it holds none.
read_secret() { # FILE
  read_line "$1"
  secret=$LINE
  case ${secret#mb[kn]_} in
  "$secret" | '' | *[!A-Za-z0-9_-]*) return 1 ;;
  esac
}

# The secret goes to curl by standard input, so that no process list shows it.
call() { # METHOD PATH SECRET-FILE BODY-FILE: sets HTTP; the answer is in $TMP
  read_secret "$3" || refuse "${3#"$R"} holds no key (mbk_... or mbn_...)"
  rm -f "$TMP/answer" "$TMP/headers"
  : >"$TMP/curl"
  HTTP=$(echo "header = \"Authorization: Bearer $secret\"" | curl -K - -gsS --connect-timeout 15 --max-time 60 --max-filesize 65536 \
    -X "$1" -H 'Accept: text/plain' -H 'Content-Type: application/json' --data-binary "@$4" \
    -D "$TMP/headers" -o "$TMP/answer" -w '%{http_code}' "$URL$2" 2>"$TMP/curl") || HTTP=000
}

field() { # answer|headers NAME-AND-SEPARATOR
  read_file "$TMP/$1" | tr -d '\r' | sed -n "s/^$2 *//p" | head -n 1 | tr -cd '\40-\176' | cut -c 1-500
}

# The Date of the answer in seconds. Of an empty text date would make this midnight.
workers_time() {
  there=$(field headers '[Dd]ate:')
  [ -z "$there" ] || date -d "$there" +%s 2>/dev/null || :
}

the_problem() {
  if [ "$HTTP" = 000 ]; then
    echo "$URL does not answer ($(head -n 1 "$TMP/curl"))"
  else
    echo "$URL says $HTTP $(field answer TYPE=): $(field answer DETAIL=)"
  fi
}

# What this node is made of, as JSON, into FACTS.
look_at_facts() {
  read_line "$RUN/facts"
  FACTS=$LINE
  if [ -z "$UNCHANGED" ] || [ -z "$FACTS" ]; then
    look_at_version dockerd --version
    docker=${LINE#Docker version }
    docker=${docker%%,*}
    look_at_version zerotier-cli -v
    case $docker in *[!A-Za-z0-9.+~-]*) docker='' ;; esac
    case $LINE in *[!0-9.]*) LINE='' ;; esac
    FACTS="{\"agent\":\"$VERSION\",\"os\":\"${OS% *}\",\"docker\":\"$docker\",\"zerotier\":\"$LINE\"}"
    [ ! -d "$RUN" ] || echo "$FACTS" >"$RUN/facts"
  fi
}
