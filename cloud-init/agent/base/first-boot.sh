# What the Worker is told of a first boot, from its first second on: with the enrolment key until there is a node token. The boot
# never waits for it, but where it has failed anyway; and a report that fails is no failure.

# SHA-256 of this machine's id, into MACHINE; 1 when it has none.
look_at_machine() {
  [ -n "$MACHINE" ] || [ ! -s "$R/etc/machine-id" ] || MACHINE=$(tr -d '\n' <"$R/etc/machine-id" | sha256sum | cut -c 1-64)
  [ -n "$MACHINE" ]
}

# What each report by key says of its sender, as JSON, into SENDER.
look_at_sender() {
  read_line "$R/proc/sys/kernel/hostname"
  host=${NAME:-$LINE}
  case $host in *[!A-Za-z0-9.-]*) host='' ;; esac
  SENDER="\"machineId\":\"$MACHINE\",\"clock\":$(date +%s)${host:+,\"name\":\"$host\"}"
}

# The header comes by standard input, so that no process list shows it. Ends with 60 or 77 when the Worker's certificate is not good
# by what this server knows. Before its packages are there a server may have no curl; cloud-init has brought Python.
post() { # PATH AUTHORIZATION BODY [-k]
  if has curl; then
    # shellcheck disable=SC2086 # -k, or no word
    curl -K - ${4:-} -gfsS --connect-timeout 5 --max-time 15 -o /dev/null -H 'Content-Type: application/json' --data-binary "$3" "$URL$1" <<EOF
header = "Authorization: $2"
EOF
  else
    # Python would wait for ever for an answer that comes byte by byte, and take the header along to wherever it is sent on.
    # shellcheck disable=SC2086 # the same
    timeout 20 python3 -c 'import ssl, sys, urllib.error, urllib.request as u
class Here(u.HTTPRedirectHandler):
    def redirect_request(self, *_): return None
headers = {"Authorization": sys.stdin.readline().strip(), "Content-Type": "application/json"}
trust = ssl._create_unverified_context() if sys.argv[3:] else None
way = u.build_opener(Here, u.HTTPSHandler(context=trust))
try: way.open(u.Request(sys.argv[1], sys.argv[2].encode(), headers), timeout=15)
except urllib.error.URLError as error: sys.exit(60 if isinstance(error.reason, ssl.SSLCertVerificationError) else 1)' "$URL$1" "$3" ${4:-} <<EOF
$2
EOF
  fi >/dev/null 2>&1 9>&-
}

# The bytes of hexadecimal digits.
bytes_of() { # HEX
  hex=$1 octal=''
  while [ -n "$hex" ]; do
    byte=$((0x${hex%"${hex#??}"}))
    octal="$octal\\0$((byte / 64))$((byte / 8 % 8))$((byte % 8))"
    hex=${hex#??}
  done
  printf %b "$octal"
}

# HMAC-SHA256, keyed with 64 hexadecimal digits: as long as a block, so that tr can do what the key is xored with.
hmac() { # KEY TEXT
  inner=$({
    printf %s "$1" | tr 0-9a-f '\006\007\004\005\002\003\000\001\016\017WTURSP'
    printf %s "$2"
  } | sha256sum | cut -c 1-64)
  {
    printf %s "$1" | tr 0-9a-f 'lmnohijkde=>?89:'
    bytes_of "$inner"
  } | sha256sum | cut -c 1-64
}

# With a clock that is far off no certificate is good, and whoever is on the way may listen in. The key stays here then, what goes
# there lets nobody in, and nothing of the answer is taken, least of all the time.
post_proof() { # KEY BODY
  hash=$(printf %s "$1" | sha256sum | cut -c 1-64)
  mac=$(hmac "$hash" "meshboot-first-boot-v1$NL$2")
  post /v1/first-boots "Meshboot-Proof ${hash%????????????????????????????????????????????????}.$mac" "$2" -k
}

post_by_key() { # KEY BODY
  rc=0
  post /v1/first-boots "Bearer $1" "$2" || rc=$?
  case $rc in
  0) ;;
  60 | 77) post_proof "$1" "$2" ;;
  *) return 1 ;;
  esac
}

# Until there is a lease; sets `secret` to the key.
can_tell_by_key() {
  [ -n "$BOOTING" ] && [ -n "$URL" ] && ! has_lease && read_secret "$ETC/key" && look_at_machine
}

# That a stage is reached: once in a boot, by a process that nobody waits for: it holds neither the lock nor the output.
tell_boot() { # fetched|packages|mesh
  if [ -z "$BOOTING" ] || [ -e "$RUN/told-$1" ]; then
    return 0
  elif [ "$1" = mesh ]; then
    read_secret "$STATE/token" || return 0
    { post "/v1/nodes/$NODE/heartbeat" "Bearer $secret" '{"state":"ok","firstBoot":{"stage":"mesh","state":"running"}}' && : >"$RUN/told-mesh"; } >/dev/null 2>&1 9>&- &
  elif can_tell_by_key; then
    look_at_sender
    { post_by_key "$secret" "{\"state\":\"running\",\"stage\":\"$1\",$SENDER}" && : >"$RUN/told-$1"; } >/dev/null 2>&1 9>&- &
  fi
}

# Where it stands still, while only the key can tell. Who waits for approval does not, and the Worker knows that.
tell_failed_boot() { # STEP
  [ -z "$BOOTING" ] || take_saved_url
  if [ -z "$PENDING" ] && can_tell_by_key; then
    look_at_sender
    post_by_key "$secret" "{\"state\":\"failed\",\"step\":\"$1\",\"log\":\"$(log_as_json)\",$SENDER}"
  fi
}

# What the boot has come to when `up` is through, as JSON. That the gateway of the containers answers this very server says nothing
# of the others.
boot_end() {
  reached=mesh
  if has dockerd; then
    if has ping && ping -n -q -c 1 -w 1 "$GATEWAY4" >/dev/null 2>&1 </dev/null; then
      reached=containers
    elif is_running docker; then
      reached=docker
    fi
  fi
  printf '"firstBoot":{"stage":"%s","state":"done"},"log":"%s"' $reached "$(log_as_json)"
}
