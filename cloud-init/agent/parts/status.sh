# The verb status.

# `key value` lines; the keys are those of --json.
status_lines() {
  cat <<EOF
node $NODE
name $L_NAME
slot $L_SLOT
state $L_STATE
network $L_NETWORK
zerotier ${ZT_STATUS:-NOT_JOINED}
interface $DEV
zerotierIpv4 $L_ZEROTIER_IPV4
dockerIpv4 $SUBNET4
dockerIpv6 $SUBNET6
docker $(systemctl is-active docker.service 2>/dev/null || :)
dockerOptions $options
dockerOptionsInForce $(true_or_false docker_has_options)
routes $(our_routes | grep -c "metric $ROUTE_METRIC" || :)
routesExpected $((SLOTS - 1))
rules $(true_or_false has_mesh_accepts)
failedStep $(read_file "$RUN/failed")
lastRepair $(read_file "$RUN/repaired")
lastReport $(read_file "$RUN/reported")
agent $VERSION
EOF
}

status() { # [json]
  use_saved_lease
  look_at_network
  options=$(our_options)
  status_lines | awk -v json="$1" '
    {
      key = $1
      value = substr($0, length(key) + 2)
    }
    !json { printf "%-22s%s\n", key, value; next }
    {
      if (key !~ /^(slot|routes|routesExpected|rules|dockerOptionsInForce)$/) {
        gsub(/[\\"]/, "\\\\&", value)
        value = "\"" value "\""
      }
      printf "%s\"%s\":%s", (NR > 1 ? "," : "{"), key, value
    }
    END { if (json) print "}" }'
}
