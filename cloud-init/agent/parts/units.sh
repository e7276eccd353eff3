# systemd's units.

is_running() { # UNIT
  case $(systemctl is-active "$1.service" 2>/dev/null) in
  active | activating | reloading) return 0 ;;
  *) return 1 ;;
  esac
}

unit_value() { # UNIT PROPERTY
  systemctl show -p "$2" "$1.service" 2>/dev/null | sed "s/^$2=//"
}

# Also when we wrote a drop-in: of the first one of a unit, in a folder that is new, systemd says no NeedDaemonReload.
reload_unit() { # UNIT
  if [ -e "$RUN/reload" ] || [ "$(unit_value "$1" NeedDaemonReload)" = yes ]; then
    run systemctl daemon-reload
    rm -f "$RUN/reload"
  fi
}
