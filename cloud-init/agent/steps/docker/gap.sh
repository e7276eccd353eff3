# Docker's own rules, where somebody has emptied them.

# Only a restart of dockerd brings its own rules back: that is not done behind the user's back.
docker_gap() {
  pid=$(read_file "$R/run/docker.pid")
  if [ -n "$pid" ] && ! iptables -w -t nat -S DOCKER >/dev/null 2>&1 && ! grep -qs docker-bridges "$TMP/ruleset" &&
    ! grep -qsE '"iptables"|--iptables=' "$R$DAEMON_JSON" "$R/proc/$pid/cmdline"; then
    echo "Docker's own iptables rules are gone, and with them published ports and the way out: meshboot up --restart-docker, or systemctl restart docker, after which containers without a restart policy stay down"
  fi
}
