# The services that configure the host's network, kept off the mesh's interface.

# Named to win over files of the user's own: systemd-networkd takes the first that fits a device, NetworkManager the last.
NM_CONF=/etc/NetworkManager/conf.d/zz-meshboot.conf
NETWORKD_CONF=/etc/systemd/network/00-meshboot.network

# The service reads its files anew; connections are not touched.
reread() { # UNIT
  case $1 in
  NetworkManager) run nmcli general reload conf ;;
  *) run networkctl reload ;;
  esac || ! warn "$1 does not read its configuration"
}

# Where the service does not run, there is nothing to keep off.
keep_off() { # UNIT FILE, content on stdin
  content=$(cat)
  if ! is_running "$1" || { [ "$(read_file "$R$2")" = "$content" ] && [ ! -e "$RUN/$1" ]; }; then
    return 0
  fi
  # Left behind by a run that was killed in between, or not heeded.
  dry || : >"$RUN/$1"
  echo "$content" | put_file "$2" 644
  if reread "$1"; then
    run rm -f "$RUN/$1"
  fi
}

# Before the join and after it: ZeroTier's choice of a name is known only then, and other networks' are the user's.
keep_network_services_off() {
  named=$DEV
  [ -n "$named" ] || named=$(read_file "$ZT/devicemap" | sed -n "s/^${L_NETWORK:-}=//p" | tail -n 1 | tr -cd 'A-Za-z0-9_.-')
  named=${named:-zt*}
  keep_off NetworkManager $NM_CONF <<EOF
[keyfile]
unmanaged-devices+=interface-name:$named
EOF
  keep_off systemd-networkd $NETWORKD_CONF <<EOF
[Match]
Name=$named
[Link]
Unmanaged=yes
EOF
}
