# Saying, failing, running. In a dry run everything is said and nothing is done.

# sed: of a URL that names a user all else, also where curl says a proxy's as it was set, without a scheme. His password, or the
# token that he is, belongs into no journal, log or report.
UNSAID_USERS='s|://[^/: ]*:[^ ]*@|://***@|g; s|://[^/ ]*@|://***@|g
s|\(proxy syntax in .\)\([a-z0-9]*://\)\{0,1\}[^'\'']*@|\1\2***@|'

# What may be said of a text, into SAID, mostly by no other process.
mask() { # TEXT
  SAID=$1
  case $1 in
  *://*@* | *'proxy syntax'*@*) SAID=$(printf '%s\n' "$1" | sed "$UNSAID_USERS") ;;
  esac
}

note() {
  printf '%s: %s\n' "$STEP" "$SAID" >>"$LOG"
}

say() {
  mask "$1"
  printf 'meshboot: %s%s: %s\n' "$DRY" "$STEP" "$SAID"
  note
}

# What is said of something that is put in place. On a node that had it in place, it was repaired, which the next report says.
change() {
  say "$1"
  if [ -n "$REPAIRS" ] && ! dry; then
    echo "$STEP" >>"$RUN/changed"
  fi
}

# As somebody wants it: it stays so until that is changed.
advise() {
  mask "$1"
  printf '%smeshboot: %s%s: %s%s\n' "$RED" "$DRY" "$STEP" "$SAID" "$PLAIN" >&2
  note
}

# Of what did not succeed: the next run tries again, though nothing has changed.
warn() {
  advise "$1"
  [ "$LOG" = /dev/null ] || : >"$TMP/warned"
}

fail() {
  warn "failed: $1"
  exit 1
}

refuse() {
  warn "refused: $1"
  exit 3
}

# What the rest does not depend on is said at once, and is how the run ends. Also from a subshell.
end_with() { # 1|3 WHY
  warn "$2. All else goes on"
  [ -e "$TMP/end" ] || printf '%s\n' "$1" "$STEP" "$2" >"$TMP/end"
}

# A node that has been in the mesh stays in it: what is refused to it is how the run ends.
object() { # WHY
  [ -n "$DEV" ] || refuse "$1"
  end_with 3 "$1"
}

end_as_said() {
  [ -e "$TMP/end" ] || return 0
  {
    read -r rc
    read -r STEP
    read -r why
  } <"$TMP/end"
  case $rc in
  3) refuse "$why. All else is in place" ;;
  *) fail "$why. All else is in place" ;;
  esac
}

dry() {
  [ -n "$DRY" ]
}

run() {
  if dry; then
    say "runs $*"
  else
    "$@"
  fi
}

has() {
  command -v "$1" >/dev/null 2>&1
}

read_file() {
  cat "$1" 2>/dev/null || :
}

# A few lines of stdin as they are, by no other process.
print_lines() {
  while IFS= read -r text_line; do
    printf '%s\n' "$text_line"
  done
}

# The first line of a file into LINE, by no other process.
read_line() { # FILE
  LINE=''
  { IFS= read -r LINE <"$1"; } 2>/dev/null || :
}

# What `PROGRAM OPTION` says of its version into LINE, asked anew only when the program was replaced: dockerd takes its time.
# Kept by what has a log: `up` and `bake`, the verbs that change something.
look_at_version() { # PROGRAM OPTION
  LINE=''
  at=$(command -v "$1") || return 0
  mark=$(stat -Lc '%n %Z %s' "$at" 2>/dev/null) || mark=''
  read_line "$STATE/$1.version"
  case $LINE in
  "$mark "?*) LINE=${LINE#"$mark "} ;;
  *)
    LINE=$("$1" "$2" 2>/dev/null | head -n 1) || :
    [ -z "$mark" ] || [ "$LOG" = /dev/null ] || [ ! -d "$STATE" ] || printf '%s\n' "$mark $LINE" >"$STATE/$1.version"
    ;;
  esac
}

true_or_false() {
  if "$@"; then
    echo true
  else
    echo false
  fi
}

# Somebody else's text in a message: printable, on one line, not without end.
printable() { # TEXT [LENGTH]
  printf %s "$1" | tr -cd '\40-\176' | sed "$UNSAID_USERS" | cut -c "1-${2:-200}"
}
