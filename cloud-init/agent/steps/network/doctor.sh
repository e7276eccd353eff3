# The links of doctor between this server and the Worker.

# One call tells of the Worker, of token or key, and of the clock. A secret goes in by standard input.
ask_worker() {
  if [ -n "$NODE" ] && read_secret "$STATE/token"; then
    set -- "/v1/nodes/$NODE" "header = \"Authorization: Bearer $secret\""
  elif read_secret "$ETC/key"; then
    set -- "/boot/$secret" ''
  else
    set -- /healthz ''
  fi
  HTTP=$(printf 'url = "%s"\n%s\n' "$URL$1" "$2" | timeout 5 curl -K - -gsS --connect-timeout 3 --max-time 4 -H 'Accept: text/plain' \
    -D "$TMP/headers" -o "$TMP/answer" -w '%{http_code}' 2>"$TMP/curl") || CURL=$?
}

doctor_worker() {
  ask_worker
  why=$(head -n 1 "$TMP/curl")
  case $CURL in
  5 | 6) set -- DNS 'cat /etc/resolv.conf; resolvectl status' ;;
  7 | 28 | 124) set -- TCP "ip route get; the provider's firewall. A Worker that is down stops nothing that runs" ;;
  35 | 5[1389] | 60 | 66 | 77 | 8[0-3] | 9[01]) set -- TLS 'date (a wrong clock?); apt-get install ca-certificates' ;;
  *) set -- HTTP "URL in $CONF; GET /healthz there, with the admin token" ;;
  esac
  if [ "$CURL" = 0 ]; then
    # A web page is none of the Worker's answers.
    case $(head -c 1 "$TMP/answer" 2>/dev/null)$(field headers '[Cc]ontent-[Tt]ype:') in
    '<'* | *text/html*) answered_by_another ;;
    esac
    case $HTTP$(field answer TYPE=) in
    200 | 401/* | 403/problems/revoked | 404/* | 429/problems/too-many-requests) return 0 ;;
    ???/*) ;;
    # That of /healthz, without a key.
    503)
      if grep -qs '"faults":' "$TMP/answer"; then
        FOREIGN="$URL says 503 $(printable "$(cat "$TMP/answer")")"
      else
        answered_by_another
      fi
      ;;
    *) [ -n "$FOREIGN" ] || answered_by_another ;;
    esac
    why=$(the_problem)
  fi
  BROKEN="$BROKEN worker"
  via=$(proxy_of_worker)
  at_enrolment "$1: $why${via:+, by the proxy $via}" "$URL answers" "$2"
}

doctor_key() {
  if has_lease && ! read_secret "$STATE/token"; then
    fault 'a lease and no token' 'mbn_... in /var/lib/meshboot/token' "$NEW_KEY"
  elif ! has_lease && [ -s "$ETC/key" ] && ! read_secret "$ETC/key"; then
    fault '/etc/meshboot/key holds no key' 'mbk_...' "$NEW_KEY"
  elif ! has_lease && ! read_secret "$ETC/key"; then
    fault 'neither lease nor key' 'mbk_... in /etc/meshboot/key' "$NEW_KEY"
  else
    case "$BROKEN $HTTP" in
    *' worker '*) finding note 'not checked: it needs worker' ;;
    *' 429') finding note "not checked: $(field answer DETAIL=)" ;;
    # 403: the operator has ended the lease, and the Worker says how.
    *' 401' | *' 403' | *' 404') fault "the Worker refuses it: $(field answer DETAIL=)" '' "$NEW_KEY" ;;
    esac
    ! grep -qs '"state":"revoked"' "$TMP/answer" ||
      fault "node $NODE is revoked" 'state active' "POST /v1/nodes/$NODE/approve at the Worker; taken out at ZeroTier Central: authorize it there"
  fi
}

doctor_clock() {
  there=$(workers_time)
  if [ -z "$there" ]; then
    finding note 'not checked: the Worker said no date'
    return 0
  fi
  off=$(($(date +%s) - there))
  [ ${off#-} -le 900 ] || at_enrolment "$off s off the Worker's" 'at most 900 s' 'timedatectl set-ntp true'
}

network_doctor() {
  look worker settings
  look key settings
  look clock worker
}
