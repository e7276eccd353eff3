# The verb status.

has_rules() {
  nft list table inet meshboot >/dev/null 2>&1 && has_mesh_accepts
}

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
rules $(true_or_false has_rules)
failedStep $(read_file "$RUN/failed")
lastRepair $(read_file "$RUN/repaired")
lastReport $(read_file "$RUN/reported")
agent $VERSION
EOF
}

status() { # [json]
  need_root
  use_saved_lease
  look_at_network
  options=$(our_options)
  status_lines | awk -v json="$1" -v docker="$(command -v dockerd)" '
    {
      key = $1
      value = v[key] = substr($0, length(key) + 2)
    }
    json {
      if (key !~ /^(slot|routes|routesExpected|rules|dockerOptionsInForce)$/) {
        gsub(/[\\"]/, "\\\\&", value)
        value = "\"" value "\""
      }
      printf "%s\"%s\":%s", (NR > 1 ? "," : "{"), key, value
    }
    function row(name, text, sound) {
      printf "%-12s%s\n", name, text
      if (!sound) wrong = wrong (wrong ? ", " : "") name
    }
    END {
      if (json) {
        print "}"
        exit
      }
      row("node", v["name"] " (" v["node"] ")", 1)
      row("lease", "slot " v["slot"] ", " v["state"], v["state"] == "active")
      row("network", v["network"] ": " v["zerotier"] " on " v["interface"], v["zerotier"] == "OK")
      row("address", v["zerotierIpv4"], 1)
      row("containers", v["dockerIpv4"] ", " v["dockerIpv6"], 1)
      row("routes", v["routes"] " of " v["routesExpected"], v["routes"] == v["routesExpected"])
      row("rules", v["rules"] == "true" ? "in place" : "missing", v["rules"] == "true")
      force = v["dockerOptionsInForce"] == "true"
      row("dockerd", docker ? v["docker"] ", " (force ? "with" : "without") " the lease'"'"'s options" : "not here yet", force || !docker)
      row("last report", v["lastReport"], v["lastReport"] ~ /(^| 200)$/)
      if (v["failedStep"]) row("last up", "stopped at " v["failedStep"], 0)
      print wrong ? "\nwrong: " wrong ". meshboot doctor says more" : "\nin place"
    }'
}
