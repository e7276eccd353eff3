# Asking the other nodes that the Worker named.

# `name ZeroTier-address gateway4 gateway6` of each.
peer_addresses() {
  read_file "$STATE/peers" | tr : ' ' |
    pool_awk '$1 <= top { print $3, txt(first(zt) + $1), txt(first(pool) + $1 * s + 1), six(network $2) "::1" }' -v network="$SIX" |
    tr -cd 'a-z0-9.: \n-'
}

# Sends one packet to each address of stdin (`name address`), all at once; prints the lines of those that answer.
ping_all() { # OPTION...
  while IFS=' ' read -r name address; do
    {
      if ping -n -q -c 1 -w 3 "$@" "$address" >/dev/null 2>&1 </dev/null; then
        echo "$name $address"
      fi
    } &
  done
  wait
}
