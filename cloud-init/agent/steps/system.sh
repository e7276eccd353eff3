# The system.

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

system_up() {
  [ -d "$R/run/systemd/system" ] || refuse 'needs systemd, which does not run this server'
  read_os_release
  case $OS in
  # A Debian that is not released yet has no VERSION_ID.
  debian\ 1[234]\ * | debian\ \ forky | ubuntu\ 2[246].04\ *) ;;
  *) object "$OS is not supported: Debian 12, 13, 14 and Ubuntu 22.04, 24.04, 26.04 are" ;;
  esac
  look_for_ipv6
  find_docker_socket
}

system_state() {
  watch_files "$R/etc/os-release"
}
