# The verb rules. dockerd waits for it.

# By its cgroup, which systemd names for it.
is_part_of_docker_service() {
  while IFS= read -r line; do
    case $line in */docker.service | */docker.service/*) return 0 ;; esac
  done <"$R/proc/self/cgroup"
  return 1
}

# Whether `up`, which has put the rules in place, is what starts the dockerd that this is to come before: see restart_docker.
are_just_ruled() {
  if [ ! -e "$RUN/ruled" ] || ! is_part_of_docker_service; then
    return 1
  fi
  code=0
  flock -n "$RUN/ruled" true || code=$?
  [ $code = 1 ]
}

only_rules() {
  if are_just_ruled; then
    return 0
  fi
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
