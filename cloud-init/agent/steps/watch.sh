# meshboot-watch.service, which puts back what goes while nothing else looks, and speaks to the others.

# Restarted with zerotier-one, by whoever restarts that.
write_watch_unit() {
  put_file $UNITS/meshboot-watch.service 644 <<'EOF'
[Unit]
Description=Meshboot, putting back what goes
After=zerotier-one.service
PartOf=zerotier-one.service
ConditionPathExists=/var/lib/meshboot/lease
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/local/sbin/meshboot watch
IgnoreSIGPIPE=no
SyslogIdentifier=meshboot
Restart=always
RestartSec=10
[Install]
WantedBy=zerotier-one.service
EOF
}

# An image has it enabled. Enabling reads every unit anew.
enable_watch() {
  if [ ! -L "$R$UNITS/zerotier-one.service.wants/meshboot-watch.service" ]; then
    run systemctl -q enable meshboot-watch.service
    [ ! -e "$RUN/reload" ] || run rm -f "$RUN/reload"
  fi
  reload_written
}

watch_up() {
  write_watch_unit
  read_line "$RUN/watching"
  if ! is_running meshboot-watch || [ "$LINE" != "$(watch_mark)" ]; then
    enable_watch
    restart_at_end meshboot-watch
  fi
  reload_written
}

watch_down() {
  if [ -e "$R$UNITS/meshboot-watch.service" ]; then
    say 'stops meshboot-watch.service'
    run systemctl -q disable --now meshboot-watch.service || :
    # Whom it watches by may be stopped before it is: then it has failed, and would be listed as that for ever.
    run systemctl -q reset-failed meshboot-watch.service 2>/dev/null || :
    drop_files /meshboot-watch
  fi
}

watch_state() {
  watch_units meshboot-watch
  watch_files "$RUN/watching"
}

doctor_watch() {
  is_running meshboot-watch ||
    warning 'meshboot-watch.service does not run: routes and rules that go at run time come back within the hour, not at once' '' 'systemctl enable --now meshboot-watch.service; journalctl -u meshboot-watch'
}

watch_doctor() {
  look watch lease
}

# Its condition keeps it off until there is a lease.
watch_bake() {
  write_watch_unit
  enable_watch
}
