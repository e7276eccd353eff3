# The verb upgrade: another text of the agent in place of this one. Only the operator at this server says so; no answer of the
# Worker does.

PREVIOUS=$PROGRAM.previous
PIN=$ETC/agent.sha256
AGENT_BYTES=2000000
# Handed on to up: that containers may restart with dockerd.
AGREES=''

upgrade_usage() { # WHY
  warn "$1: meshboot upgrade [--dry-run] [--restart-docker] [SHA256|--back]"
  exit 2
}

# Not run: it may be one that does not run.
version_of() { # FILE
  printable "$(sed -n 's/^VERSION=//p' "$1" | head -n 1)"
}

# To everybody, so no secret goes along. An older curl heeds --max-filesize only when it is told the length before.
ask_for_agent() { # PATH: sets HTTP; the answer is in $TMP
  rm -f "$TMP/answer" "$TMP/headers"
  : >"$TMP/curl"
  FOREIGN=''
  HTTP=$(
    # So that curl says why it ends.
    trap '' XFSZ
    ulimit -f $((AGENT_BYTES / 512))
    curl -gsS --connect-timeout 15 --max-time 120 --max-filesize $AGENT_BYTES -H 'Accept: text/plain' \
      -D "$TMP/headers" -o "$TMP/answer" -w '%{http_code}' "$URL$1" 2>"$TMP/curl" </dev/null
  ) || HTTP=000
  case $HTTP in
  000) ;;
  # Neither a program nor what tells of it is a web page.
  200) case $(head -c 1 "$TMP/answer") in '<') answered_by_another ;; esac ;;
  *) grep -qs '^TYPE=/problems/' "$TMP/answer" || answered_by_another ;;
  esac
  case $HTTP in
  200) ;;
  000 | 429 | 5*) fail "$(the_problem)" ;;
  *) refuse "$(the_problem)" ;;
  esac
}

# Into $TMP/candidate the text that has this SHA-256, or none.
fetch_candidate() { # SHA256
  say "fetches $URL/agent/$1"
  ask_for_agent "/agent/$1"
  came=$(sha256_of "$TMP/answer")
  [ "$came" = "$1" ] || refuse "another text came from $URL, with the SHA-256 $came: it is not taken"
  mv "$TMP/answer" "$TMP/candidate"
}

# By /bin/sh: /tmp may be mounted noexec.
runs() { # PROGRAM SECONDS ARGUMENT...: sets rc; what it says is in $TMP/said
  program=$1
  seconds=$2
  shift 2
  rc=0
  timeout "$seconds" /bin/sh "$program" "$@" >"$TMP/said" 2>&1 </dev/null 9>&- || rc=$?
  [ $rc = 0 ]
}

last_line() {
  last=$(printable "$(grep . "$TMP/said" | tail -n 1)" 600)
  printf '%s\n' "${last:-(none)}"
}

# That the candidate did not succeed.
not_taken() { # VERB [REMEDY]
  case $rc in
  # busybox has no code of its own for it.
  124 | 143) why="does not end within $seconds s" ;;
  *) why="ends with exit code $rc" ;;
  esac
  fail "its meshboot $1 $why on this server, so it is not taken. Its last line: $(last_line)${2:-}"
}

try_version() {
  runs "$TMP/candidate" 10 --version || not_taken --version
}

# What this server refuses to the agent that is here, it refuses to any: that is no fault of the new one.
try_up() { # SHA256
  if runs "$TMP/candidate" 300 up --dry-run $AGREES; then
    return 0
  fi
  [ $rc = 3 ] || not_taken 'up --dry-run'
  mv "$TMP/said" "$TMP/refusal"
  if ! runs "$PROGRAM" 300 up --dry-run $AGREES && [ $rc = 3 ]; then
    warn "up is refused on this server, and will be with the new agent too: $(last_line)"
    return 0
  fi
  rc=3
  mv "$TMP/refusal" "$TMP/said"
  not_taken 'up --dry-run' ". Where only a restart of dockerd is in the way: meshboot upgrade --restart-docker $1"
}

# Under the lock, as no `up` is to run meanwhile, and no other upgrade. What one that was killed has left is finished or
# removed: while both places hold the same program, the other one is still beside them, see change_places.
begin_upgrade() {
  if dry; then
    return 0
  fi
  make_run
  lock
  rm -f "$PROGRAM.meshboot-tmp" "$PIN.meshboot-tmp"
  if [ -e "$PREVIOUS.meshboot-tmp" ]; then
    if cmp -s "$PROGRAM" "$PREVIOUS"; then
      mv -f "$PREVIOUS.meshboot-tmp" "$PREVIOUS"
    else
      rm -f "$PREVIOUS.meshboot-tmp"
    fi
  fi
}

# Whether this very change was killed before its `up` had succeeded.
is_unfinished() { # CHANGE
  read_line "$RUN/upgrading"
  [ "$LINE" = "$1" ]
}

copy_program() { # FROM TO
  new=$2.meshboot-tmp
  # Without the sync a power cut may leave an empty file under the name that it is moved to.
  if ! complaint=$({ cp "$1" "$new" && chmod 755 "$new" && sync "$new"; } 2>&1); then
    rm -f "$new"
    not_written "$2" "$complaint"
  fi
}

# Not by put_file: `down` would put the old one back, and meshboot-fetch then the old program.
pin() { # SHA256
  [ "$(read_file "$PIN")" != "$1" ] || return 0
  echo "$1" >"$PIN.meshboot-tmp"
  sync "$PIN.meshboot-tmp"
  mv -f "$PIN.meshboot-tmp" "$PIN"
}

# Killed in between, meshboot-fetch does the last move: the program is no longer the one that is named.
move_program() { # CHANGE SHA256
  echo "$1 $2" >"$RUN/upgrading"
  # What its `up` changes is no repair.
  rm -f "$RUN/applied"
  pin "$2"
  mv -f "$PROGRAM.meshboot-tmp" "$PROGRAM"
}

put_candidate() { # SHA256
  copy_program "$TMP/candidate" "$PROGRAM"
  if ! cmp -s "$PROGRAM" "$PREVIOUS"; then
    copy_program "$PROGRAM" "$PREVIOUS"
    mv -f "$PREVIOUS.meshboot-tmp" "$PREVIOUS"
  fi
  move_program take "$1"
}

# They are two moves. In between both places hold the program that comes back, and the other one waits beside them.
change_places() { # SHA256 of the previous
  copy_program "$PREVIOUS" "$PROGRAM"
  copy_program "$PROGRAM" "$PREVIOUS"
  move_program back "$1"
  mv -f "$PREVIOUS.meshboot-tmp" "$PREVIOUS"
}

# Without the lock, which it takes itself.
apply_upgrade() {
  exec 9>&-
  rc=0
  "$PROGRAM" up $AGREES || rc=$?
  rm -f "$RUN/upgrading"
  if [ $rc != 0 ]; then
    warn "$(version_of "$PROGRAM") is in place, and its up ended with exit code $rc: see above. meshboot upgrade --back brings $(version_of "$PREVIOUS") back"
  fi
  exit $rc
}

look_at_installed() {
  [ -s "$PROGRAM" ] || refuse 'there is no /usr/local/sbin/meshboot on this server: meshboot-fetch puts it there'
  here=$(sha256_of "$PROGRAM")
}

take_agent() { # SHA256
  begin_upgrade
  look_at_installed
  if [ "$here" = "$1" ]; then
    say "$(version_of "$PROGRAM") ($1) is installed already"
    dry || pin "$1"
    if dry || ! is_unfinished "take $1"; then
      return 0
    fi
    say 'runs up, which was interrupted'
    apply_upgrade
  fi
  fetch_candidate "$1"
  try_version
  try_up "$1"
  if dry; then
    # Its own plan, each line marked as a dry run by itself.
    tr -cd '\n\40-\176' <"$TMP/said" | sed "$UNSAID_USERS"
    say "$(version_of "$TMP/candidate") ($1) runs here. To take it: meshboot upgrade ${AGREES:+$AGREES }$1"
    return 0
  fi
  say "puts $(version_of "$TMP/candidate") ($1) in place of $(version_of "$PROGRAM"), which stays as /usr/local/sbin/meshboot.previous"
  put_candidate "$1"
  apply_upgrade
}

go_back() {
  begin_upgrade
  look_at_installed
  if is_unfinished "back $here"; then
    say "$(version_of "$PROGRAM") is back. Runs up, which was interrupted"
    apply_upgrade
  fi
  [ -s "$PREVIOUS" ] || refuse 'there is no /usr/local/sbin/meshboot.previous: this server has had no upgrade'
  there=$(sha256_of "$PREVIOUS")
  [ "$there" != "$here" ] || refuse '/usr/local/sbin/meshboot.previous is the very program that is installed'
  cp "$PREVIOUS" "$TMP/candidate"
  try_version
  say "puts $(version_of "$PREVIOUS") ($there) back, and $(version_of "$PROGRAM") ($here) into /usr/local/sbin/meshboot.previous"
  if ! dry; then
    change_places "$there"
    apply_upgrade
  fi
}

show_offer() {
  look_at_installed
  ask_for_agent /agent
  offered=$(field answer SHA256=)
  matches "$offered" '[0-9a-f]{64}' || fail "$URL/agent names no agent: is that a Meshboot Worker?"
  say "installed: $(version_of "$PROGRAM") ($here)"
  say "offered:   $(field answer VERSION=) ($offered)"
  if [ "$here $(read_file "$PIN")" = "$offered $offered" ]; then
    say 'they are the same: there is nothing to take'
  elif dry; then
    take_agent "$offered"
  elif [ -t 0 ] && [ -t 1 ]; then
    printf 'Take it? [y/N] '
    reply=''
    read -r reply || echo
    case $reply in
    [Yy] | [Yy][Ee][Ss]) take_agent "$offered" ;;
    *) say 'nothing was changed' ;;
    esac
  else
    say "nothing was changed. To take it: meshboot upgrade $offered"
  fi
}

upgrade() { # [--dry-run] [SHA256|--back]
  trap 'exit 143' TERM INT
  wanted=''
  for word; do
    case $word in
    --dry-run) DRY='dry run: ' ;;
    --restart-docker) AGREES=--restart-docker ;;
    *)
      [ -z "$wanted" ] || upgrade_usage 'give either a SHA-256 or --back, not both'
      wanted=$word
      ;;
    esac
  done
  case $wanted in
  --back) go_back ;;
  *)
    if [ -n "$wanted" ] && ! matches "$wanted" '[0-9a-f]{64}'; then
      upgrade_usage "$(printable "$wanted") is no SHA-256, 64 hexadecimal digits in lower case"
    fi
    # Not what the settings want of a node: `up` says that.
    read_settings
    STEP=upgrade
    if [ -n "$wanted" ]; then
      take_agent "$wanted"
    else
      show_offer
    fi
    ;;
  esac
}
