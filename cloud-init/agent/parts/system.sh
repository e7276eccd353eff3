# up, step 1: the system.

# Without IPv6 in the kernel (ipv6.disable=1) there is no ip6tables, and dockerd does not start with --ipv6. Where sysctls
# keep it off new interfaces, the mesh's has none: the owner's choice, which stays.
has_ipv6() {
  conf=$R/proc/sys/net/ipv6/conf
  [ -d "$conf" ] && ! grep -qsx 1 "$conf/all/disable_ipv6" "$conf/default/disable_ipv6"
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

check_system() {
  STEP=preflight
  need_root
  [ -d "$R/run/systemd/system" ] || refuse 'needs systemd, which does not run this server'
  OS=$(read_file "$R/etc/os-release" | tr -d "\"'" | awk -F= '{ v[$1] = $2 } END { print v["ID"] ? v["ID"] : "a system without name", v["VERSION_ID"], v["VERSION_CODENAME"] }' | tr -cd 'a-z0-9. -')
  case $OS in
  # A Debian that is not released yet has no VERSION_ID.
  debian\ 1[234]\ * | debian\ \ forky | ubuntu\ 2[246].04\ *) ;;
  *) refuse "$OS is not supported: Debian 12, 13, 14 and Ubuntu 22.04, 24.04, 26.04 are" ;;
  esac
  ID=${OS%% *}
  CODENAME=${OS##* }
  look_for_ipv6
}
