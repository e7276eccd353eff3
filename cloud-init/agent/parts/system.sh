# up, step 1: the system.

# A kernel without IPv6 (ipv6.disable=1) has no ip6tables either, and dockerd does not start with --ipv6.
look_for_ipv6() {
  if [ ! -d "$R/proc/sys/net/ipv6" ]; then
    IPV6=off
    warn 'this kernel has no IPv6: the containers get IPv4 alone'
  fi
}

check_system() {
  STEP=preflight
  [ -n "$R" ] || [ "$(id -u)" = 0 ] || refuse 'needs root'
  [ -d "$R/run/systemd/system" ] || refuse 'needs systemd, which does not run this server'
  OS=$(read_file "$R/etc/os-release" | tr -d "\"'" | awk -F= '{ v[$1] = $2 } END { print v["ID"], v["VERSION_ID"], v["VERSION_CODENAME"] }' | tr -cd 'a-z0-9. ')
  case $OS in
  # A Debian that is not released yet has no VERSION_ID.
  debian\ 1[234]\ * | debian\ \ forky | ubuntu\ 2[246].04\ *) ;;
  *) refuse "$OS is not supported: Debian 12, 13, 14 and Ubuntu 22.04, 24.04, 26.04 are" ;;
  esac
  ID=${OS%% *}
  CODENAME=${OS##* }
  look_for_ipv6
}
