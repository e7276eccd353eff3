# What doctor found at a link, for a person or as JSON, and whether a link can be looked at.

# With --json what is found is kept, as records of five fields, and shown in the end.
finding() { # LEVEL [SAW [EXPECTED [REMEDY]]]
  FOUND=$1
  case $1 in
  ok) color=32 ;;
  note) color=36 ;;
  warning)
    color=33
    WARNINGS=$((WARNINGS + 1))
    ;;
  fault)
    color=31
    FAULTS=$((FAULTS + 1))
    BROKEN="$BROKEN $LINK"
    ;;
  esac
  if [ -n "$JSON" ]; then
    printf '%s\037' "$LINK" "$1" "${2:-}" "${3:-}" "${4:-}" >>"$TMP/findings"
    printf '\036' >>"$TMP/findings"
  else
    [ -z "$COLOR" ] || printf '\033[%sm' "$color"
    printf '%-8s%s%s\n' "$1" "${COLOR:+$RESET}" "$LINK${2:+: $2}"
    [ -z "${3:-}" ] || printf '%8sexpected: %s\n' '' "$3"
    [ -z "${4:-}" ] || printf '%8sdo: %s\n' '' "$4"
  fi
}

fault() {
  finding fault "$@"
}

warning() {
  finding warning "$@"
}

# Looks at a link, unless one that it needs is broken.
look() { # LINK NEEDED-LINK...
  LINK=$1
  FOUND=''
  shift
  for needed; do
    case "$BROKEN " in
    *" $needed "*)
      BROKEN="$BROKEN $LINK"
      finding note "not checked: it needs $needed"
      return 0
      ;;
    esac
  done
  "doctor_$LINK"
  [ -n "$FOUND" ] || finding ok
}

# What keeps a server out, but none that is in.
at_enrolment() { # SAW EXPECTED REMEDY
  if has_lease && [ ! -s "$ETC/key" ]; then
    warning "$@"
  else
    fault "$@"
  fi
}
