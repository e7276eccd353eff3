# The network: a first boot may be ahead of it.

# A first boot may be ahead of its network. Nothing is asked of a server that has its lease, or all that an image brings.
network_up() {
  tries=0
  # Without curl apt has to find the network.
  if dry || has_lease || ! has curl || [ -e "$ETC/image.json" ]; then
    return 0
  fi
  until curl -gsS -o /dev/null --max-time 10 "$URL/healthz" </dev/null 2>"$TMP/curl"; do
    tries=$((tries + 1))
    why=$(no_answer)
    [ $tries -lt 10 ] || fail "$why: check this server's network and DNS, the Worker, and URL in $CONF"
    say "$why: tries again, $tries of 10"
    sleep $tries
  done
}

# It puts nothing in place.
network_state() {
  :
}
