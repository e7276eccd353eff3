# Saying, failing, running. In a dry run everything is said and nothing is done.

note() {
  printf '%s: %s\n' "$STEP" "$1" >>"$LOG"
}

say() {
  printf 'meshboot: %s%s: %s\n' "$DRY" "$STEP" "$1"
  note "$1"
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
