# The other nodes that the Worker names, `slot:node:name` a line in /var/lib/meshboot/peers: whom doctor asks.

store_peers() {
  sed -n 's/^PEERS=//p' "$TMP/answer" | tr ' ' '\n' | grep -xE '[1-9][0-9]{0,7}:[0-9a-f]{10}:[a-z0-9-]{1,63}' |
    head -n 8 | put_file /var/lib/meshboot/peers 600
}
