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

# docker.service as systemd has it now, by one call.
look_at_docker() {
  DOCKER_STATE='' DOCKER_ENABLED='' DOCKER_PID=0 DOCKER_RELOAD='' DOCKER_FRAGMENT='' DOCKER_DROPINS='' DOCKER_ENVIRONMENTS=''
  while IFS='=' read -r key value; do
    case $key in
    ActiveState) DOCKER_STATE=$value ;;
    UnitFileState) DOCKER_ENABLED=$value ;;
    MainPID) DOCKER_PID=$value ;;
    NeedDaemonReload) DOCKER_RELOAD=$value ;;
    FragmentPath) DOCKER_FRAGMENT=$value ;;
    DropInPaths) DOCKER_DROPINS=$value ;;
    EnvironmentFiles) DOCKER_ENVIRONMENTS="${DOCKER_ENVIRONMENTS:+$DOCKER_ENVIRONMENTS }${value% (*}" ;;
    esac
  done <<EOF
$(systemctl show -p ActiveState,UnitFileState,MainPID,NeedDaemonReload,FragmentPath,DropInPaths,EnvironmentFiles docker.service 2>/dev/null)
EOF
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
