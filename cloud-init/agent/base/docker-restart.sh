# A restart of dockerd that is under way, and its end, whatever the end of the run.

# Set from the moment that this run stops dockerd, or containers, until all of it runs again.
DOCKER_STOPPED=''

# $RUN/restarting: that a restart has begun, the dockerd that was to end, and what ran in it. Empty: that a start was decided.
# Written right before dockerd is stopped: what was only decided nobody has agreed to once other containers run.
begin_restart() {
  if dry || [ -s "$RUN/restarting" ]; then
    return 0
  fi
  DOCKER_STOPPED=yes
  {
    echo "$DOCKER_PID"
    running_containers ID || :
  } >"$RUN/restarting.new"
  mv -f "$RUN/restarting.new" "$RUN/restarting"
}

noted_containers() {
  read_file "$RUN/restarting" | sed 1d
}

# Whether the note is of the dockerd that runs, or of one that was stopped. What is noted of another one nobody has agreed to.
is_restart_noted() {
  [ -s "$RUN/restarting" ] || return 1
  case $DOCKER_STATE in
  active | activating | reloading)
    read_line "$RUN/restarting"
    [ "$LINE" = "$DOCKER_PID" ]
    ;;
  esac
}

drop_note() {
  [ ! -e "$RUN/restarting" ] || run rm -f "$RUN/restarting"
}

# Debian's unit allows three starts a minute: those of ours do not count.
start_docker() { # start|restart
  systemctl reset-failed docker.service 2>/dev/null || :
  systemctl "$1" docker.service
}

start_noted_containers() {
  ids=$(noted_containers)
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2086 # ids, one word each
    run patiently 300 docker start $ids >/dev/null || :
  fi
  drop_note
  DOCKER_STOPPED=''
}

# Of a run that ends in between: the containers are not to wait for somebody to run it again.
start_stopped_docker() {
  [ -n "$DOCKER_STOPPED" ] || return 0
  say 'starts dockerd again, which this run has stopped'
  if start_docker start; then
    start_noted_containers
  else
    warn 'dockerd does not start: see journalctl -u docker'
  fi
}
