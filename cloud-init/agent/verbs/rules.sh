# The verb rules. dockerd waits for it.

only_rules() {
  set_up
  use_saved_lease
  read_sound_settings
  take tables up
  take chains up
  take rules up
  take backend up
  gap=$(docker_gap)
  [ -z "$gap" ] || warn "$gap"
}
