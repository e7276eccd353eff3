# The links of doctor that are no step: settings, lease, the units of the agent.

doctor_settings() {
  why=$( (read_settings) 2>&1) || :
  if [ -n "$why" ]; then
    fault "${why#*refused: }" '' 'correct it, systemctl restart meshboot'
  else
    read_settings
  fi
}

doctor_lease() {
  if ! has_lease; then
    BROKEN="$BROKEN lease"
    warning 'none yet' '' 'meshboot up; journalctl -u meshboot -n 30 says where it stops'
  elif ! use_lease "$STATE/lease"; then
    fault "/var/lib/meshboot/lease is not sound: $REASON" '' "rm /var/lib/meshboot/lease; $NEW_KEY. The one that let this server in will do"
  fi
}

doctor_agent() {
  case $(systemctl is-enabled meshboot.service meshboot.timer 2>/dev/null | tr '\n' ' ') in
  'enabled enabled ') ;;
  *) warning 'meshboot.service or meshboot.timer is not enabled: nothing repairs drift or renews the lease' '' 'systemctl enable --now meshboot.service meshboot.timer' ;;
  esac
  [ "$(sha256_of "$PROGRAM")" = "$(read_file "$ETC/agent.sha256")" ] ||
    warning '/usr/local/sbin/meshboot is not the agent that /etc/meshboot/agent.sha256 names' '' 'systemctl restart meshboot fetches that one; meshboot upgrade takes another'
  [ ! -s "$RUN/failed" ] || warning "the last up stopped at $(cat "$RUN/failed"): $(tail -n 1 "$RUN/log")" '' 'do what it says, then meshboot up'
}
