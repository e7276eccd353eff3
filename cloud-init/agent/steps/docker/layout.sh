# Which part of the lease docker0 has.

# The part of the lease that docker0 has, in both families.
docker0_part() {
  case $LAYOUT in
  split) echo "$LOWER $NET6::/81" ;;
  bridge) echo "$SUBNET4 $SUBNET6" ;;
  esac
}

# A network that lies where the layout puts docker0: dockerd would not start.
check_layout() {
  part=$(docker0_part)
  [ -n "$part" ] || return 0
  found=$(host_networks | awk -v part="${part% *}" "$AWK_IP"'$2 ~ /^br-/ && overlap($1, part) { print; exit }')
  [ -z "$found" ] ||
    refuse "${found%% *} ($(network_name "${found#* }")) lies in ${part% *}, which LAYOUT=$LAYOUT gives to docker0: remove it (docker compose down, or stop what is in it; then docker network rm), or keep another LAYOUT in $CONF"
}
