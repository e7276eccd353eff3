# Talking with the Worker.

# Bytes of an answer.
MOST_ANSWERED=65536

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
  FOREIGN=''
  HTTP=$(echo "header = \"Authorization: Bearer $secret\"" | curl -K - -gsS --connect-timeout 15 --max-time 60 --max-filesize $MOST_ANSWERED \
    -X "$1" -H 'Accept: text/plain' -H 'Content-Type: application/json' --data-binary "@$4" \
    -D "$TMP/headers" -o "$TMP/answer" -w '%{http_code}' "$URL$2" 2>"$TMP/curl") || HTTP=000
  case $HTTP in
  000 | 204) ;;
  2*) grep -qsE '^(NETWORK|TURN)=' "$TMP/answer" || answered_by_another ;;
  *) grep -qs '^TYPE=/problems/' "$TMP/answer" || answered_by_another ;;
  esac
}

# What stands before the Worker, and neither lets in nor keeps out a server: a challenge or login page, a proxy, Cloudflare itself.
answered_by_another() {
  title=$(read_file "$TMP/answer" | tr '\n' ' ' | sed -n 's/.*<[Tt][Ii][Tt][Ll][Ee][^>]*>\([^<]*\).*/\1/p')
  where=$(field headers '[Ll]ocation:' | sed 's/[?#].*//')
  [ -n "$title" ] || title=$(head -n 1 "$TMP/answer" 2>/dev/null) || :
  case $title in '<'*) title=$(field headers '[Cc]ontent-[Tt]ype:') ;; esac
  FOREIGN="$URL says $HTTP${where:+, on to $where}${title:+ ($(printable "$title"))}, and that is not the Worker's answer: a challenge, a login page or a proxy stands before it, which has to let servers through"
  HTTP=000
}

field() { # answer|headers NAME-AND-SEPARATOR
  read_file "$TMP/$1" | tr -d '\r' | sed -n "s/^$2 *//p" | head -n 1 | tr -cd '\40-\176' | cut -c 1-500
}

# The Date of the answer in seconds. Of an empty text date would make this midnight.
workers_time() {
  there=$(field headers '[Dd]ate:')
  [ -z "$there" ] || date -d "$there" +%s 2>/dev/null || :
}

# What curl said of it. By a clock that is off no certificate is valid.
no_answer() {
  said=$(head -n 1 "$TMP/curl")
  case $said in
  *'not yet valid'* | *'has expired'*) said="$said, by this clock, which says $(date -u '+%F %H:%M') UTC: is it right?" ;;
  esac
  printf '%s\n' "$URL does not answer ($said)"
}

the_problem() {
  if [ -n "$FOREIGN" ]; then
    printf '%s\n' "$FOREIGN"
  elif [ "$HTTP" = 000 ]; then
    no_answer
  else
    printf '%s\n' "$URL says $HTTP $(field answer TYPE=): $(field answer DETAIL=)"
  fi
}
