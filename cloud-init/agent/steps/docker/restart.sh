# Restarts of dockerd, with consent and without loss.

# $RUN/restarting: that a restart was decided, the dockerd that was to end, and what ran in it. Empty: that a start was.
needs_restart() {
  if [ -e "$RUN/restarting" ] && [ "$(head -n 1 "$RUN/restarting")" = "$DOCKER_PID" ]; then
    return 0
  fi
  ! docker_runs_with_options || ! docker0_has_address || { [ "$RESTART_DOCKER$AGREED" != off ] && [ -n "$gap" ]; }
}

# Not one that somebody disabled, nor one that somebody stopped after it had its options: neither is ours to start.
is_docker_to_start() {
  if [ -e "$STATE/masked" ] || [ -e "$RUN/restarting" ]; then
    return 0
  fi
  case $DOCKER_ENABLED in disabled | masked*) return 1 ;; esac
  [ ! -s "$STATE/docker0" ] || [ "$DOCKER_STATE" = failed ]
}

note_containers() {
  {
    echo "$DOCKER_PID"
    running_containers ID || :
  } >"$TMP/restarting"
  mv "$TMP/restarting" "$RUN/restarting"
}

# What containers hang on does not change before somebody has agreed: not now, and not at the next reboot.
decide_restart() {
  if [ -s "$RUN/restarting" ]; then
    return 0
  fi
  if [ "$RESTART_DOCKER$AGREED" = off ] && [ ! -e "$RUN/restart-docker" ]; then
    running_containers Names >"$TMP/names" || refuse 'dockerd needs a restart, and docker ps fails, so that nobody knows what would stop: is docker-cli there? See systemctl status docker'
    [ ! -s "$TMP/names" ] || refuse "$(awk 'NR < 6 { t = t (NR > 1 ? ", " : "") $0 } END { print NR " container" (NR > 1 ? "s" : "") " (" t (NR > 5 ? ", ..." : "") ")" }' "$TMP/names") would restart with dockerd, which needs the mesh's options. All else is done, and dockerd stays as it is, after a reboot too. When it suits: meshboot up --restart-docker, or RESTART_DOCKER=on in $CONF"
  fi
  dry || note_containers
}

# Debian's unit allows three starts a minute: those of ours do not count.
start_docker() {
  systemctl reset-failed docker.service 2>/dev/null || :
  systemctl restart docker.service
}

# The containers of before: live-restore would keep them, and with them docker0's address; and not each has a restart policy.
restart_docker() {
  ids=$(read_file "$RUN/restarting" | sed 1d)
  if [ -n "$ids" ] && [ "$(patiently 60 docker info -f '{{.LiveRestoreEnabled}}')" = true ]; then
    # shellcheck disable=SC2086 # ids, one word each
    patiently 300 docker stop $ids >/dev/null || :
  fi
  case ${IPV6NAT:-} in
  off | container)
    # What dockerd made in ip6tables stays when it is told to keep out of there. Its next start loads our own rules again.
    systemctl stop docker.service 2>/dev/null || :
    drop_docker_rules6
    ;;
  esac
  start_docker
}

# The end of a restart, also of one that a kill came upon.
finish_restart() {
  ids=$(read_file "$RUN/restarting" | sed 1d)
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2086 # as above
    run patiently 300 docker start $ids >/dev/null || :
  fi
  for file in "$RUN/restarting" "$RUN/restart-docker" "$STATE/masked"; do
    [ ! -e "$file" ] || run rm -f "$file"
  done
}
