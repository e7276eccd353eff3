# The verb hosts: the names of the mesh's servers, for what has a hosts file of its own.

hosts() { # [--add-host|--compose]
  use_saved_lease
  [ -s "$STATE/hosts" ] || refuse "the names of servers are not here: HOSTS=on in $CONF, then meshboot up"
  case ${1:-} in
  '') host_lines ;;
  --add-host) host_lines | sed 's/^\([^ ]*\) \(.*\)/--add-host=\2:\1/' ;;
  --compose)
    echo extra_hosts:
    host_lines | sed 's/^\([^ ]*\) \(.*\)/  - "\2:\1"/'
    ;;
  *)
    warn "$(printable "$1") is not known: meshboot hosts [--add-host|--compose]"
    exit 2
    ;;
  esac
}
