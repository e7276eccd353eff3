# up, step 1: the system.

# Without IPv6 in the kernel (ipv6.disable=1) there is no ip6tables, and dockerd does not start with --ipv6. Where sysctls
# keep it off new interfaces, the mesh's has none: the owner's choice, which stays.
has_ipv6() {
  conf=$R/proc/sys/net/ipv6/conf
  read_line "$conf/all/disable_ipv6"
  all=$LINE
  read_line "$conf/default/disable_ipv6"
  [ -d "$conf" ] && [ "$all" != 1 ] && [ "$LINE" != 1 ]
}

look_for_ipv6() {
  if has_ipv6; then
    return 0
  fi
  IPV6=off
  if [ ! -e "$RUN/ipv4" ]; then
    warn 'IPv6 is off on this host (disable_ipv6, or no IPv6 in the kernel): the containers get IPv4 alone'
    dry || : >"$RUN/ipv4"
  fi
}

need_root() {
  [ -n "$R" ] || [ "$(id -u)" = 0 ] || refuse 'needs root'
}

# Of the system ID and CODENAME, and as OS these with the version between them.
read_os_release() {
  ID='' version='' CODENAME=''
  if [ -r "$R/etc/os-release" ]; then
    while IFS='=' read -r key value || [ -n "$key" ]; do
      value=${value#[\"\']}
      value=${value%[\"\']}
      case $key$value in *[!A-Za-z0-9_.-]*) continue ;; esac
      case $key in
      ID) ID=$value ;;
      VERSION_ID) version=$value ;;
      VERSION_CODENAME) CODENAME=$value ;;
      esac
    done <"$R/etc/os-release"
  fi
  OS="${ID:-a system without name} $version $CODENAME"
}

check_system() {
  STEP=preflight
  [ -d "$R/run/systemd/system" ] || refuse 'needs systemd, which does not run this server'
  read_os_release
  case $OS in
  # A Debian that is not released yet has no VERSION_ID.
  debian\ 1[234]\ * | debian\ \ forky | ubuntu\ 2[246].04\ *) ;;
  *) refuse "$OS is not supported: Debian 12, 13, 14 and Ubuntu 22.04, 24.04, 26.04 are" ;;
  esac
  look_for_ipv6
}
