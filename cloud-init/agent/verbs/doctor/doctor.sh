# The verb doctor: every link of the chain in order, each after those that it needs. It changes nothing, and each call has a
# time limit.

doctor() { # [json|report]
  limit_calls
  : >"$TMP/findings"
  JSON=$1 BROKEN='' FAULTS=0 WARNINGS=0 COLOR='' CURL=0 WANTED=''
  RED='' PLAIN='' RESET=$(printf '\033[0m')
  [ ! -t 1 ] || [ -n "${NO_COLOR:-}" ] || COLOR=yes
  # As the last up found it. Switched off since then it is a fault.
  if ! has_ipv6 && [ -e "$RUN/ipv4" ]; then
    IPV6=off
  fi
  NEW_KEY='write a key (POST /v1/keys at the Worker makes one) into /etc/meshboot/key; meshboot up'
  find_docker_socket
  look settings
  look lease
  take_each doctor
  look peers address
  look mtu address
  look agent
  rc=0 worst=ok
  [ $WARNINGS = 0 ] || rc=1 worst=warning
  [ $FAULTS = 0 ] || rc=3 worst=fault
  if [ "$JSON" = report ]; then
    report_findings
  elif [ -n "$JSON" ]; then
    printf '{"node":"%s","checks":[%s],"worst":"%s"}\n' "$NODE" "$(findings_as_json <"$TMP/findings")" $worst
  elif [ $rc = 0 ]; then
    echo healthy
  else
    echo "faults: $FAULTS, warnings: $WARNINGS. The first may be the cause of the rest"
  fi
  exit $rc
}

findings_as_json() {
  awk 'BEGIN { RS = "\036"; FS = "\037"; split("link level saw expected remedy", key, " ") }
    {
      for (i = 1; i <= 5; i++) {
        gsub(/[^ -~]/, " ", $i)
        gsub(/[\\"]/, "\\\\&", $i)
        printf "%s\"%s\":\"%s\"", (i > 1 ? "," : NR > 1 ? ",{" : "{"), key[i], $i
      }
      printf "}"
    }'
}
