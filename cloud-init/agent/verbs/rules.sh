# The verb rules.

# dockerd waits for it.
only_rules() {
  set_up
  use_saved_lease
  open_chains
  load_rules
  gap=$(docker_gap)
  [ -z "$gap" ] || warn "$gap"
}
