# Where docker0 is, and was before us.

# Where `down` brings docker0 back to, from when it is moved; where there was none, a range that nobody uses, or `none`.
remember_docker0() {
  read_line "$STATE/docker0"
  case $LAYOUT$LINE in
  compose) echo untouched | put_file /var/lib/meshboot/docker0 600 ;;
  split | bridge | [sb]*untouched)
    read_line "$STATE/pools"
    ip -o -4 addr show docker0 2>/dev/null | awk -v free="$LINE" '{ a = $4 } END { print a ? a : sub("0/16", "1/16", free) ? free : "none" }' | put_file /var/lib/meshboot/docker0 600
    ;;
  esac
}

# While live-restore keeps containers through a restart, dockerd leaves docker0 as it was.
docker0_has_address() {
  case $WANTED in
  *--bip=*)
    address=${WANTED#*--bip=}
    ip -o -4 addr show docker0 2>/dev/null | grep -qF " ${address%% *} "
    ;;
  esac
}

# Where dockerd is told the address that docker0 had before us, or has in Docker's own hands, one a line: nobody answers there
# any more.
old_address_users() {
  if [ "$LAYOUT" = compose ]; then
    return 0
  fi
  {
    ip -o -4 addr show 2>/dev/null | grep ' 172\.17\.0\.1/' | grep -qv ' docker0 ' || echo old 172.17.0.1
    docker0_before | sed 's/^/old /'
    ip -o -4 addr show docker0 2>/dev/null | awk '{ print "old", $4 }'
    printf '%s\n' "$json" "$words"
  } | awk -v now="$GATEWAY4" -v file="$DAEMON_JSON" '
    function names(text, address, i, rest) {
      for (rest = text; i = index(rest, address); rest = substr(rest, i + 1))
        if ((i == 1 || substr(rest, i - 1, 1) !~ /[0-9.]/) && substr(rest, i + length(address), 1) !~ /[0-9.]/) return 1
    }
    function tell(where, text) {
      for (a in old) if (names(text, a)) print where " names " a
    }
    $1 == "old" { sub(/\/.*/, "", $2); if ($2 != now) old[$2]; next }
    $1 == "json" { tell(file ", " $2 ",", substr($0, length($2) + 7)); next }
    {
      tell("dockerd'"'"'s " (/^-/ ? $0 : flag " " $0), $0)
      flag = $0
    }' | tr -cd '\n\40-\176'
}
