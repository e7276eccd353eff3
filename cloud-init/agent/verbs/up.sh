# The verb up.

look_for_repairs() {
  if applied_text | cmp -s - "$RUN/applied"; then
    REPAIRS=yes
  fi
}

remember_applied() {
  [ ! -e "$RUN/failed" ] || rm -f "$RUN/failed"
  end_agreement
  if [ -z "$REPAIRS" ]; then
    mv "$TMP/applied" "$RUN/applied"
  fi
  # From here on an upgrade is done, see is_unfinished.
  [ ! -e "$RUN/upgrading" ] || rm -f "$RUN/upgrading"
}

# What the lease alone says, for a node that has been in the mesh and whose settings nobody can read.
stay_in_mesh() {
  use_saved_lease
  [ -n "$DEV" ] || return 0
  LAYOUT=split ALLOW_OVERLAP=off
  ! grep -qsx ALLOW_OVERLAP=on "$R$CONF" || ALLOW_OVERLAP=on
  look_at_overlapping
  remember_spared
  for taken in join tables sysctls chains rules address routes; do
    take $taken up
  done
}

up() {
  set_up
  dry || [ "$GIVEN" = "$ETC" ] || refuse 'MESHBOOT_ETC is for a dry run'
  if ! dry; then
    lock
    LOG=$RUN/log
    : >"$LOG"
  fi
  STEP=settings
  if has_lease && ! (LOG=/dev/null && read_settings) >/dev/null 2>&1; then
    stay_in_mesh
    STEP=settings
  fi
  if ! dry && { ! has_lease || [ -e "$STATE/first-boot" ]; }; then
    BOOTING=yes
  fi
  read_settings
  tell_boot fetched
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
  end_as_said
  dry || remember_state
  # The Worker may answer the report with another lease, which is not applied yet.
  applied_text >"$TMP/applied"
  report
  STEP=up
  if ! dry; then
    remember_applied
  fi
  say "$NODE: $L_ZEROTIER_IPV4, $SUBNET4, $SUBNET6"
  STEP=enrol
  [ -z "$PENDING" ] || fail "$PENDING"
}
