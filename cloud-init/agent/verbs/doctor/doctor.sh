# The verb doctor: every link of the chain in order, each after those that it needs. It changes nothing, and each call has a
# time limit.

doctor() { # [json]
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
  look settings
  look lease
  look worker settings
  look key settings
  look clock worker
  look zerotier
  look network lease zerotier
  look limits network
  look address network
  look routes address
  look uplink
  look sysctls lease
  look dockerd settings lease
  look rules settings lease
  look nat66 dockerd
  look peers address
  look mtu address
  look compose settings
  look agent
  rc=0 worst=ok
  [ $WARNINGS = 0 ] || rc=1 worst=warning
  [ $FAULTS = 0 ] || rc=3 worst=fault
  if [ -n "$JSON" ]; then
    printf '{"node":"%s","checks":[%s],"worst":"%s"}\n' "$NODE" "$(findings_as_json)" $worst
  elif [ $rc = 0 ]; then
    echo healthy
  else
    echo "faults: $FAULTS, warnings: $WARNINGS. The first may be the cause of the rest"
  fi
  exit $rc
}
