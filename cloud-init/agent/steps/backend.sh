# dockerd's options for its firewall backend, as it is to have them at its very next start.

# Whoever changes the backend restarts dockerd. docker.service calls `rules` ahead of that, and reads the options only then:
# the containers are in the mesh again without another restart.
backend_up() {
  if [ ! -e "$ETC/dockerd.env" ]; then
    return 0
  fi
  case $(systemctl is-active docker.service 2>/dev/null) in active | reloading) return 0 ;; esac
  had=$(our_options)
  wanted=$(options_for_backend "$had")
  if [ "$wanted" != "$had" ]; then
    put_our_options "$wanted"
  fi
}

backend_state() {
  watch_files "$R$DAEMON_JSON"
}
