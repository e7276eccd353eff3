# The verb keep: what others take away at run time is put back. meshboot-watch.service calls it.

keep() {
  set_up
  # A run of `up` or `down` that is under way comes first.
  exec 9>"$RUN/lock"
  flock 9
  use_saved_lease
  read_sound_settings
  look_for_repairs
  take_each keep
}
