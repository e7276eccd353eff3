# The verb rules. dockerd waits for it.

only_rules() {
  set_up
  use_saved_lease
  take tables up
  take chains up
  take rules up
  gap=$(docker_gap)
  [ -z "$gap" ] || warn "$gap"
}
