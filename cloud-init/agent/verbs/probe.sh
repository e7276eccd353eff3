# Whom this server reaches. The Worker names a few others with each report, and they are pinged from the containers' own address to
# theirs; the next report tells what came of it. meshboot-watch.service does it: no run of `up` waits for that.

# Seconds from a report on: what the next one tells is a quarter of an hour old at most.
PROBE_PAUSE=3300

# `node family address` of the gateways of each whom the Worker has named.
named_gateways() {
  tr ' :' '\n ' <"$TMP/to-probe" | pool_awk '
    NF == 2 && $1 <= top && $1 != n {
      print $2, 4, txt(first(pool) + $1 * s + 1)
      if (six_is != "off") print $2, 6, six(network $2) "::1"
    }' -v network="$SIX" -v six_is="$IPV6"
}

# This server's own address among those of its containers.
own_container_address() {
  ip -o -4 addr show 2>/dev/null | pool_awk '$2 != dev && $3 == "inet" {
    address = $4
    sub(/\/.*/, "", address)
    if (inside(address, own)) { print address; exit }
  }'
}

# Packets to each of stdin, all at once; what ping says of it goes to $TMP/KIND/node.family.
ping_each() { # KIND BYTES OPTION...
  kind=$1 bytes=$2
  shift 2
  mkdir -p "$TMP/$kind"
  while IFS=' ' read -r node family address; do
    case $family in
    4) from=$own4 size=$((bytes - 28)) ;;
    6) from=$NET6::1 size=$((bytes - 48)) ;;
    esac
    ping -n -I "$from" -s "$size" "$@" "$address" >"$TMP/$kind/$node.$family" 2>&1 </dev/null &
  done
  wait
}

# Those of stdin from whom a small packet came back (yes), or none did (no).
that_answered() { # yes|no
  awk -v wanted="$1" -v from="$TMP/small/" '{
    file = from $1 "." $2
    got = "no"
    while ((getline line <file) > 0) if (line ~ / time=/) got = "yes"
    close(file)
    if (got == wanted) print
  }'
}

# What was found of each, as JSON, by what ping said, and zerotier-one.
found_of_each() { # BYTES
  timeout 5 zerotier-cli peers >"$TMP/links" 2>/dev/null </dev/null || :
  awk -v bytes="$1" -v from="$TMP/" '
    # Into rtt (empty: no packet came back), loss and mtu, when somebody on the way named one.
    function hear(kind, name, file, line, half, ms) {
      file = from kind "/" name
      rtt = mtu = ""
      loss = 100
      while ((getline line <file) > 0) {
        if (match(line, /[0-9.]+% packet loss/)) loss = int(substr(line, RSTART))
        if (line ~ /^rtt / && split(line, half, " = ") == 2 && split(half[2], ms, "/") > 1) rtt = ms[1]
        if (match(line, /mtu ?= ?[0-9]+/)) {
          mtu = substr(line, RSTART, RLENGTH)
          gsub(/[^0-9]/, "", mtu)
        }
      }
      close(file)
    }
    function family(name, small, lost) {
      hear("small", name)
      if (rtt == "") return "{\"answers\":false,\"rttMs\":null,\"loss\":100,\"mtu\":null}"
      small = rtt
      lost = loss
      hear("large", name)
      if (rtt != "") mtu = bytes
      else loss = lost
      return "{\"answers\":true,\"rttMs\":" (rtt != "" ? rtt : small) ",\"loss\":" loss ",\"mtu\":" (mtu != "" ? mtu : "null") "}"
    }
    of == "links" { link[$1] = $5; next }
    $2 == 4 { order[++n] = $1; four[$1] = family($1 ".4") }
    $2 == 6 { six[$1] = family($1 ".6") }
    END {
      for (i = 1; i <= n; i++) {
        node = order[i]
        path = link[node] == "DIRECT" ? "\"direct\"" : link[node] == "RELAY" ? "\"relayed\"" : "null"
        printf "%s{\"to\":\"%s\",\"ipv4\":%s,\"ipv6\":%s,\"path\":%s}", (i > 1 ? "," : ""), node, four[node], (node in six ? six[node] : "null"), path
      }
    }' of=links "$TMP/links" of=named "$TMP/named"
}

# Twice to whom is silent: a first packet to somebody may take ZeroTier five seconds and more. Then packets that nobody may split.
ping_named() {
  : >"$TMP/named"
  if ! ping -V 2>/dev/null | grep -q iputils; then
    fault='"no-ping"'
  elif own4=$(own_container_address) && [ -z "$own4" ]; then
    fault='"no-gateway"'
  else
    fault=null
    named_gateways >"$TMP/named"
    rm -rf "$TMP/small" "$TMP/large"
    ping_each small 84 -c 1 -w 5 <"$TMP/named"
    that_answered no <"$TMP/named" >"$TMP/silent-named"
    ping_each small 84 -c 1 -w 5 <"$TMP/silent-named"
    that_answered yes <"$TMP/named" >"$TMP/heard"
    ping_each large "$PACKET" -M 'do' -c 3 -i 0.2 -w 2 <"$TMP/heard"
  fi
}

# 1 where it is not wanted, or there is no lease any more. By the lease as it is now: the watch may have begun with another slot.
probe() {
  mv "$RUN/to-probe" "$TMP/to-probe"
  use_lease "$STATE/lease" 2>/dev/null || return 1
  read_sound_settings
  [ "${PROBES:-off}" = on ] || return 1
  look_at_packets
  [ "$PACKET" -le "$TUNNEL" ] || PACKET=$TUNNEL
  ping_named
  write_whole "$RUN/probes" 600 "$(uptime_seconds) \"fault\":$fault,\"pairs\":[$(found_of_each "$PACKET")]$NL"
}

# Of few enough to be all others: in a large mesh there is always one who was not probed the last time. Where nobody can be, it is no
# news either.
names_newcomer() {
  awk 'of == "probes" { before = before $0; next }
    before ~ /"fault":"/ { exit }
    NF < 25 { for (i = 1; i <= NF; i++) if (!index(before, "\"" substr($i, index($i, ":") + 1) "\"")) new = 1 }
    END { exit !new }' of=probes "$RUN/probes" of=named "$RUN/to-probe" 2>/dev/null
}

# What is found after a start, or of somebody new in a small mesh, is told at once.
keep_probing() {
  pause=0
  while sleep 60; do
    if [ -s "$RUN/to-probe" ]; then
      ! names_newcomer || pause=0
      sleep $pause
      if probe && [ $pause = 0 ]; then
        "$0" heartbeat || :
      fi
      pause=$PROBE_PAUSE
    fi
  done
}
