# What doctor found at a link, for a person or as JSON, and whether a link can be looked at.

# With --json what is found is kept, as records of five fields, and shown in the end.
finding() { # LEVEL [SAW [EXPECTED [REMEDY]]]
  FOUND=$1
  mask "${2:-}"
  saw=$SAID
  mask "${3:-}"
  expected=$SAID
  mask "${4:-}"
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
    printf '%s\037' "$LINK" "$1" "$saw" "$expected" "$SAID" >>"$TMP/findings"
    printf '\036' >>"$TMP/findings"
  else
    [ -z "$COLOR" ] || printf '\033[%sm' "$color"
    printf '%-8s%s%s\n' "$1" "${COLOR:+$RESET}" "$LINK${saw:+: $saw}"
    [ -z "$expected" ] || printf '%8sexpected: %s\n' '' "$expected"
    [ -z "$SAID" ] || printf '%8sdo: %s\n' '' "$SAID"
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
