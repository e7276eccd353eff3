# What system this is.

# Without IPv6 in the kernel (ipv6.disable=1) there is no ip6tables, and dockerd does not start with --ipv6. Where sysctls
# keep it off new interfaces, the mesh's has none: the owner's choice, which stays.
has_ipv6() {
  conf=$R/proc/sys/net/ipv6/conf
  read_line "$conf/all/disable_ipv6"
  all=$LINE
  read_line "$conf/default/disable_ipv6"
  [ -d "$conf" ] && [ "$all" != 1 ] && [ "$LINE" != 1 ]
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
