# The verb status.

# As it is saved, but for what is known better: what the Worker answered instead of a lease when it was last asked, and that
# the controller does not let the node in, which is seen within a minute.
state_of_lease() {
  look_at_network
  case $(read_file "$RUN/reported") in
  *' 403 /problems/revoked') echo revoked ;;
  *' 401 /problems/unauthorized') echo unauthorized ;;
  *)
    case $L_STATE-$ZT_STATUS in
    active-ACCESS_DENIED) echo denied ;;
    *) echo "$L_STATE" ;;
    esac
    ;;
  esac
}

# What is known of the node itself; the steps tell the rest.
lease_status() {
  state=$(state_of_lease)
  status_text node "$NODE"
  status_text name "$L_NAME"
  status_value slot "$L_SLOT"
  status_text state "$state"
  status_text zerotierIpv4 "$L_ZEROTIER_IPV4"
  status_text dockerIpv4 "$SUBNET4"
  status_text dockerIpv6 "$SUBNET6"
  status_row node true "$L_NAME ($NODE)"
  status_row lease "$(true_or_false [ "$state" = active ])" "slot $L_SLOT, $state"
  status_row address true "$L_ZEROTIER_IPV4"
  status_row containers true "$SUBNET4, $SUBNET6"
}

last_runs_status() {
  reported=$(read_file "$RUN/reported")
  failed=$(read_file "$RUN/failed")
  status_text failedStep "$failed"
  status_text lastRepair "$(read_file "$RUN/repaired")"
  status_text lastReport "$reported"
  status_text agent "$VERSION"
  case $reported in
  '' | *' 200') status_row 'last report' true "$reported" ;;
  *) status_row 'last report' false "$reported" ;;
  esac
  [ -z "$failed" ] || status_row 'last up' false "stopped at $failed"
}

status() { # [json]
  use_saved_lease
  {
    lease_status
    take_each status
    last_runs_status
  } | awk -F '\t' -v json="$1" '
    json && $1 != "row" {
      if ($1 == "text") {
        gsub(/[\\"]/, "\\\\&", $3)
        $3 = "\"" $3 "\""
      }
      printf "%s\"%s\":%s", (n++ ? "," : "{"), $2, $3
    }
    !json && $1 == "row" {
      printf "%-12s%s\n", $2, $3
      if ($4 == "false") wrong = wrong (wrong ? ", " : "") $2
    }
    END {
      if (json) print "}"
      else print wrong ? "\nwrong: " wrong ". meshboot doctor says more" : "\nin place"
    }'
}
