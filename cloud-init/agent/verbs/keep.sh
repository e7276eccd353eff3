# The verb keep: what others take away at run time is put back. meshboot-watch.service calls it.

keep() {
  set_up
  # A run of `up` or `down` that is under way comes first.
  exec 9>"$RUN/lock"
  flock 9
  use_saved_lease
  read_sound_settings
  look_for_repairs
  keep_each
}

# What cannot be put back keeps nothing else away: each step by itself, and the end of the run names those that failed.
keep_each() {
  failed=''
  for taken in $STEPS; do
    if has_part "$taken" keep; then
      # Nothing of this may be a condition: in one, set -e would not count.
      set +e
      (
        set -e
        take "$taken" keep
      )
      code=$?
      set -e
      [ $code = 0 ] || failed="$failed $taken"
    fi
  done
  STEP=keep
  [ -z "$failed" ] || fail "not put back:$failed"
}
