# systemd's units.

# What a dry run has said to stop counts as stopped from then on.
SAID_TO_STOP=''

is_running() { # UNIT
  [ "$1" != "$SAID_TO_STOP" ] || return 1
  case $(systemctl is-active "$1.service" 2>/dev/null) in
  active | activating | reloading) return 0 ;;
  *) return 1 ;;
  esac
}

unit_value() { # UNIT PROPERTY
  systemctl show -p "$2" "$1.service" 2>/dev/null | sed "s/^$2=//"
}

# Names of units that are (re)started when this run ends, however it ends: what does not need them does not share the CPU with them.
RESTART_AT_END=''

restart_at_end() { # UNIT
  if dry; then
    run systemctl restart --no-block "$1.service"
  else
    RESTART_AT_END="$RESTART_AT_END $1.service"
  fi
}

# Of the first drop-in of a unit, in a folder that is new, systemd says no NeedDaemonReload: so put_file notes it.
reload_written() {
  if [ -e "$RUN/reload" ]; then
    run systemctl daemon-reload
    run rm -f "$RUN/reload"
  fi
}

reload_unit() { # UNIT
  [ "$(unit_value "$1" NeedDaemonReload)" != yes ] || run touch "$RUN/reload"
  reload_written
}
