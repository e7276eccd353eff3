# The verb up.

look_for_repairs() {
  if applied_text | cmp -s - "$RUN/applied"; then
    REPAIRS=yes
  fi
}

remember_applied() {
  [ ! -e "$RUN/failed" ] || rm -f "$RUN/failed"
  if [ -z "$REPAIRS" ]; then
    mv "$TMP/applied" "$RUN/applied"
  fi
  # From here on an upgrade is done, see is_unfinished.
  [ ! -e "$RUN/upgrading" ] || rm -f "$RUN/upgrading"
}

up() {
  set_up
  if ! dry; then
    lock
    LOG=$RUN/log
    : >"$LOG"
  fi
  STEP=settings
  read_settings
  if has_lease; then
    use_saved_lease
    look_for_repairs
  fi
  if is_unchanged; then
    say 'nothing has changed'
    report
    return 0
  fi
  take_each up
  dry || remember_state
  # The Worker may answer the report with another lease, which is not applied yet.
  applied_text >"$TMP/applied"
  report
  STEP=up
  if ! dry; then
    remember_applied
  fi
  say "$NODE: $L_ZEROTIER_IPV4, $SUBNET4, $SUBNET6"
}
