#!/bin/sh
# Puts Meshboot's agent in place: from the Worker the very text whose SHA-256 is in /etc/meshboot/agent.sha256, or none.
# Tries until it is there; a server that has an agent goes on with that one.
set -euf
R=${MESHBOOT_ROOT:-}
agent=$R/usr/local/sbin/meshboot
read -r sha256 <"$R/etc/meshboot/agent.sha256"
url=$(sed -n 's/^URL=//p' "$R/etc/meshboot/meshboot.conf" | tail -n 1)
url=${url%/}/agent/$sha256

is_agent() { # FILE
  [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -c 1-64)" = "$sha256" ]
}

get() {
  if command -v curl >/dev/null; then
    curl -gfsSL --connect-timeout 15 --max-time 120 "$url"
  elif command -v wget >/dev/null; then
    wget -nv -t 1 -T 30 -O - "$url"
  else
    python3 -c 'import shutil, sys, urllib.request as u
shutil.copyfileobj(u.urlopen(sys.argv[1], timeout=30), sys.stdout.buffer)' "$url"
  fi
}

delay=5
until is_agent "$agent"; do
  said=$({ get | head -c 2000000 >"$agent.new"; } 2>&1 | tr -cd '\n\40-\176')
  if is_agent "$agent.new"; then
    chmod 755 "$agent.new"
    mv -f "$agent.new" "$agent"
    break
  fi
  why=$(echo "$said" | tail -n 1)
  [ ! -s "$agent.new" ] || why="another text came, which is not taken${why:+ ($why)}"
  rm -f "$agent.new"
  why=${why:-an empty answer came}
  case $said in
  *' 404'*) why="$why: the Worker does not have this agent; new user-data names one that it has" ;;
  *'not yet'* | *'has expired'*) why="its certificate is not valid on $(date -u +%F), this server's date: is the clock right?" ;;
  esac
  why="meshboot-fetch: no agent from $url: $why"
  if [ -x "$agent" ]; then
    echo "$why. Goes on with the one that is here" >&2
    break
  fi
  pause=$((delay + $(od -An -N2 -tu2 /dev/urandom) % delay))
  echo "$why. Tries again in $pause s" >&2
  sleep $pause
  delay=$((delay < 40 ? delay * 2 : 60))
done
