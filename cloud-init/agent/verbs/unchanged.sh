# Whether anything has changed on this host since a run of `up` that had nothing to do.

# All that the steps look at; 1 when one of them cannot tell, or does not say.
host_state() {
  WATCHED_FILES='' WATCHED_UNITS='' WATCHED_COMMANDS=''
  watch_files "$R$CONF" "$STATE/lease" "$RUN/failed" "$RUN/reload" "$PROGRAM"
  while read -r path; do
    watch_files "$R$path"
  done <"$STATE/files"
  for taken in $STEPS; do
    if has_part "$taken" state; then
      "${taken}_state" || return 1
    elif has_part "$taken" up; then
      return 1
    fi
  done
  (
    IFS=$NL
    # shellcheck disable=SC2086 # paths, one a line
    stat -c '%n %i %Z %s %a' $WATCHED_FILES 2>&1 || :
    for watched in $WATCHED_COMMANDS; do
      IFS=' '
      # shellcheck disable=SC2086 # the words of a command
      $watched 2>&1 </dev/null || :
    done
    IFS=' '
    # shellcheck disable=SC2086 # names, one word each
    systemctl show -p Id,ActiveState,UnitFileState,MainPID,NeedDaemonReload,DropInPaths $WATCHED_UNITS 2>&1 </dev/null || :
  ) | sed '/^# /d; s/ \(valid_lft\|expires\) .*//; s/\[[0-9:]*\]//'
}

is_unchanged() {
  # Who agrees to a restart of dockerd knows of something to put right.
  if [ -z "$REPAIRS" ] || [ "$AGREED" = yes ] || [ -e "$RUN/restart-docker" ] || dry || ! host_state >"$TMP/state"; then
    rm -f "$TMP/state"
    return 1
  fi
  if ! cmp -s "$TMP/state" "$RUN/unchanged"; then
    return 1
  fi
  UNCHANGED=yes
}

# Only what was the same before the run and after it has been looked at by each step, and with success.
remember_state() {
  rm -f "$RUN/unchanged"
  if [ -e "$TMP/state" ] && [ ! -e "$TMP/warned" ] && [ -z "$RESTART_AT_END" ] && host_state | cmp -s - "$TMP/state"; then
    mv "$TMP/state" "$RUN/unchanged"
  fi
}
