# The verb heartbeat.

send_heartbeat() {
  set_up
  read_settings
  use_saved_lease
  STEP=heartbeat
  [ -s "$STATE/token" ] || refuse 'there is no token: meshboot up, with a key in /etc/meshboot/key'
  heartbeat_of_last_up
  [ "$HTTP" = 200 ] || fail "$(the_problem)"
}
