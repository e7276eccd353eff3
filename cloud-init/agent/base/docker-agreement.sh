# An agreement to a restart of dockerd that was given beforehand: $RUN/restart-docker.

# Given at a first boot, or with the script form: the uptime at which it was counts, as the time may be set meanwhile, and for an
# hour, as what runs later was not meant.
was_agreed_lately() {
  read_line "$RUN/restart-docker"
  agreed=${LINE%%.*}
  case $agreed in '' | *[!0-9]* | ??????????*) return 1 ;; esac
  since=$(($(uptime_seconds) - agreed))
  [ $since -ge 0 ] && [ $since -lt 3600 ]
}

# Nobody has agreed to what a later run would restart, but for a Docker that is still to come.
end_agreement() {
  if [ -e "$RUN/restart-docker" ] && { has dockerd || ! was_agreed_lately; }; then
    rm -f "$RUN/restart-docker"
  fi
}
