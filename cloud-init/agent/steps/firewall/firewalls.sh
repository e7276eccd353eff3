# Services whose starts, stops and reloads empty the chains.

# Their starts, stops and reloads empty the chains.
firewalls_up() {
  for unit in nftables netfilter-persistent ufw; do
    file=$R/lib/systemd/system/$unit.service
    if [ -e "$file" ]; then
      {
        echo '[Service]'
        for when in ExecStartPost ExecStopPost $(grep -os '^ExecReload' "$file" | head -n 1); do
          echo "$when=-+/usr/local/sbin/meshboot rules"
        done
      } | put_file $UNITS/$unit.service.d/50-meshboot.conf 644
    fi
  done
  if [ -e "$RUN/reload" ]; then
    reload_unit nftables
  fi
}

firewalls_state() {
  watch_units nftables netfilter-persistent ufw
}

firewalls_bake() {
  firewalls_up
}
