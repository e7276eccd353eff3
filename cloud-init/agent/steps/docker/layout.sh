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
  IFS=' ' read -r prefix device <<EOF
$(host_networks | pool_awk 'NF == 2 && inside($1, own) && overlap($1, part) { print; exit }' -v part="${part% *}")
EOF
  [ -z "$prefix" ] ||
    refuse "$prefix ($(network_name "$device")) lies in ${part% *}, which LAYOUT=$LAYOUT gives to docker0: $(network_remedy "$prefix" "$device"); or keep another LAYOUT in $CONF"
}
