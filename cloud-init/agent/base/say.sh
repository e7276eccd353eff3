# Saying, failing, running. In a dry run everything is said and nothing is done.

note() {
  printf '%s: %s\n' "$STEP" "$1" >>"$LOG"
}

say() {
  printf 'meshboot: %s%s: %s\n' "$DRY" "$STEP" "$1"
  note "$1"
}

# What is said of something that is put in place. On a node that had it in place, it was repaired: see report.sh.
change() {
  say "$1"
  if [ -n "$REPAIRS" ] && ! dry; then
    echo "$STEP" >>"$RUN/changed"
  fi
}

warn() {
  printf '%smeshboot: %s%s: %s%s\n' "$RED" "$DRY" "$STEP" "$1" "$PLAIN" >&2
  note "$1"
}

fail() {
  warn "failed: $1"
  exit 1
}

refuse() {
  warn "refused: $1"
  exit 3
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
    [ -z "$mark" ] || [ "$LOG" = /dev/null ] || [ ! -d "$STATE" ] || echo "$mark $LINE" >"$STATE/$1.version"
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
printable() {
  printf %s "$1" | tr -cd '\40-\176' | cut -c 1-200
}
