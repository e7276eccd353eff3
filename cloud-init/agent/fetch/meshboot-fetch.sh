#!/bin/sh
# Puts Meshboot's agent in place: the text whose SHA-256 is in /etc/meshboot/agent.sha256, from the Worker.
# No certificate counts: the clock may be off. Tries for ever; a server that has one goes on with it.
set -euf
R=${MESHBOOT_ROOT:-}
agent=$R/usr/local/sbin/meshboot
new=$agent.new
pin=$R/etc/meshboot/agent.sha256

is_named() { # FILE
  [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -c 1-64)" = "$(cat "$pin")" ]
}

get() { # URL SECONDS
  most=$(($2 * 4))
  if command -v curl >/dev/null; then
    curl -gkfsSL --connect-timeout "$2" --max-time $most "$1"
  elif command -v wget >/dev/null; then
    timeout $most wget --no-check-certificate -nv -t 1 -T "$2" -O - "$1"
  else
    timeout $most python3 -c 'import ssl, sys, urllib.request as u
c = ssl._create_unverified_context()
sys.stdout.buffer.write(u.urlopen(sys.argv[1], timeout=int(sys.argv[2]), context=c).read(2000000))' "$@"
  fi
}

delay=5
until is_named "$agent"; do
  seconds=30
  has=$("$agent" --version 2>/dev/null) || has=''
  [ -z "$has" ] || seconds=5
  url=$(sed -n 's/^URL=//p' "$R/etc/meshboot/meshboot.conf" | tail -n 1)
  url=${url%/}/agent/$(cat "$pin")
  : >"$new"
  said=$({ get "$url" $seconds | head -c 2000000 >"$new"; } 2>&1 | tr -cd '\n\40-\176')
  if is_named "$new"; then
    chmod 755 "$new"
    sync "$new"
    mv -f "$new" "$agent"
    break
  fi
  why=$(echo "$said" | grep '^curl: (' || echo "$said" | tail -n 1)
  [ ! -s "$new" ] || why="what came is another text${why:+ ($why)}"
  rm -f "$new"
  case $said in
  *'No space'*) why='the disk is full' ;;
  *' 404'*) why="$why: the Worker has no such agent; new user-data has one" ;;
  timeout:*python3*) why='this needs curl, wget or python3' ;;
  esac
  why=$(echo "meshboot-fetch: no agent from $url: ${why:-no whole answer}" | sed 's|//[^ ]*@|//|g')
  if [ -n "$has" ]; then
    echo "$why. Goes on with $has" >&2
    break
  fi
  pause=$((delay + $(od -An -N2 -tu2 /dev/urandom) % delay))
  echo "$why. Tries again in $pause s" >&2
  sleep $pause
  delay=$((delay < 40 ? delay * 2 : 60))
done
