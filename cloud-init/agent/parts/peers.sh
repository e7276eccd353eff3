# The other nodes that the Worker names, `slot:node:name` a line in /var/lib/meshboot/peers: whom doctor asks.

store_peers() {
  awk 'sub(/^PEERS=/, "") {
    for (i = 1; i <= NF && n < 8; i++) if (split($i, part, ":") == 3 && $i ~ /^[1-9][0-9]*:[0-9a-f]+:[a-z0-9-]+$/ && length(part[1]) < 9 && length(part[2]) == 10 && length(part[3]) < 64) {
      print $i
      n++
    }
  }' "$TMP/answer" | put_file /var/lib/meshboot/peers 600
}
