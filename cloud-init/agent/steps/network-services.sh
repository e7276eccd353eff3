# The services that configure the host's network, kept off the mesh's interface.

network_services_up() {
  keep_network_services_off
}

network_services_down() {
  drop_files '^/etc/(NetworkManager|systemd/network)/'
  if is_listed $NM_CONF && is_running NetworkManager; then
    reread NetworkManager || :
  fi
  if is_listed $NETWORKD_CONF && is_running systemd-networkd; then
    reread systemd-networkd || :
  fi
}

network_services_state() {
  watch_files "$R$NM_CONF" "$R$NETWORKD_CONF"
  watch_units NetworkManager systemd-networkd
}
