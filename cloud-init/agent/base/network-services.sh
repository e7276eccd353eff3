# The services that configure the host's network, kept off the mesh's interface.

# Named to win over files of the user's own: systemd-networkd takes the first that fits a device, NetworkManager the last.
NM_CONF=/etc/NetworkManager/conf.d/zz-meshboot.conf
NETWORKD_CONF=/etc/systemd/network/00-meshboot.network

# The service reads its files anew; connections are not touched.
reread() { # UNIT
  case $1 in
  NetworkManager) run nmcli general reload conf ;;
  *) run networkctl reload ;;
  esac || warn "$1 does not read its configuration"
}

# Where the service does not run, there is nothing to keep off.
keep_off() { # UNIT FILE, content on stdin
  content=$(cat)
  if ! is_running "$1" || { [ "$(read_file "$R$2")" = "$content" ] && [ ! -e "$RUN/$1" ]; }; then
    return 0
  fi
  # Left behind by a run that was killed in between.
  dry || : >"$RUN/$1"
  echo "$content" | put_file "$2" 644
  reread "$1"
  run rm -f "$RUN/$1"
}

# Before the join and after it: ZeroTier's choice of a name is known only then, and other networks' are the user's.
keep_network_services_off() {
  keep_off NetworkManager $NM_CONF <<EOF
[keyfile]
unmanaged-devices+=interface-name:${DEV:-zt*}
EOF
  keep_off systemd-networkd $NETWORKD_CONF <<EOF
[Match]
Name=${DEV:-zt*}
[Link]
Unmanaged=yes
EOF
}
