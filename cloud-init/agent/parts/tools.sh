# The verbs that a person calls at a prompt, and what only few hosts need. User-data has no room for them: the Worker gives
# them to a server that has a lease. What comes from there is run only when it is what this program was made with.

TOOLS=/var/lib/meshboot/tools
TOOLS_SHA256=@TOOLS_SHA256@

is_the_tools() { # FILE
  [ "$(sha256sum 2>/dev/null <"$1" | cut -c 1-64)" = "$TOOLS_SHA256" ]
}

has_tools() {
  [ -r "$R$TOOLS" ] && is_the_tools "$R$TOOLS"
}

# The tools into $TMP; 1, and why as `why`, when they cannot be had.
download_tools() {
  if ! curl -gfsS --connect-timeout 5 --max-time 20 --max-filesize 200000 -o "$TMP/tools" "$URL/agent/tools" 2>"$TMP/curl"; then
    why="no tools from $URL: $(head -n 1 "$TMP/curl")"
    return 1
  fi
  why="the Worker has the tools of another version than $VERSION: a new agent comes with the user-data form script"
  is_the_tools "$TMP/tools"
}

fetch_tools() {
  STEP=tools
  if has_tools; then
    return 0
  fi
  say "fetches $TOOLS from $URL"
  if dry; then
    return 0
  fi
  if download_tools; then
    put_file $TOOLS 600 <"$TMP/tools"
  else
    warn "$why. The next meshboot up tries again"
  fi
}

# The tools' functions into this program; 1, and why as `why`, when they cannot be had.
load_tools() {
  tools=$R$TOOLS
  if ! has_tools; then
    if [ -z "$URL" ]; then
      why="there is no $CONF: it comes with user-data"
      [ -r "$R$CONF" ] || return 1
      read_settings
    fi
    download_tools || return 1
    tools=$TMP/tools
  fi
  # shellcheck source=/dev/null
  . "$tools"
}

# A function that is among them.
use_tool() { # FUNCTION WHAT-IS-SO-WITHOUT
  if load_tools; then
    "$1"
  else
    warn "$2: $why"
  fi
}

# Also before there is a lease, and then keeps nothing.
with_tools() { # VERB ARGUMENT...
  STEP=$1
  need_root
  TMP=$(mktemp -d)
  trap 'rm -rf "$TMP"' EXIT
  load_tools || fail "$why"
  "$@"
}
