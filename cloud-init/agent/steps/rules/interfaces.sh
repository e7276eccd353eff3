# The interfaces that the rules name.

# As a set's elements all network cards with an address, a second network's too, real ones or a container's: no bridge, no tunnel, no
# end of a container's.
look_at_cards() {
  CARDS=$({
    for kind in veth vlan bond; do
      ip -o link show type $kind
    done
    for device in $(real_cards); do
      printf '%s\n' "0: $device:"
    done
    echo addresses
    ip -o addr show scope global
  } 2>/dev/null | awk -v mesh="$DEV" -v uplinks="$UPLINKS" '
    function take(name) { if (name ~ /^[A-Za-z0-9_.-]+$/ && name != mesh && !seen[name]++) { printf "%s\"%s\"", c, name; c = ", " } }
    BEGIN { n = split(uplinks, uplink, /[", ]+/); for (i = 1; i <= n; i++) take(uplink[i]) }
    /^addresses$/ { addresses = 1; next }
    !addresses { name = $2; sub(/[@:].*/, "", name); if (!/ master /) card[name]; next }
    $2 in card { take($2) }')
  [ -n "$UPLINKS" ] || CARDS=$(read_file "$STATE/cards")
}

real_cards() {
  find -L "$R/sys/class/net" -mindepth 2 -maxdepth 2 -name device 2>/dev/null | while IFS= read -r path; do
    path=${path%/device}
    [ -e "$path/master" ] || printf '%s\n' "${path##*/}"
  done
}

# Docker's bridges, `NAME MODE4 MODE6`, as it tells them while it runs: asked before, docker.socket would start it.
remember_bridges() {
  if [ "$(systemctl is-active docker.service 2>/dev/null)" != active ] || ! has docker; then
    return 0
  fi
  : >"$TMP/asked"
  if ! ids=$(timeout 20 docker network ls -q --filter driver=bridge 2>/dev/null </dev/null); then
    return 0
  fi
  told=''
  option='index .Options "com.docker.network.bridge'
  # One that goes in between leaves what was known.
  # shellcheck disable=SC2086 # ids, one word each
  if [ -z "$ids" ] || told=$(timeout 20 docker network inspect -f "{{.Id}}|{{$option.name\"}}|{{$option.gateway_mode_ipv4\"}}|{{$option.gateway_mode_ipv6\"}}" $ids 2>/dev/null </dev/null); then
    printf '%s\n' "$told" | awk -F '|' '
      # What a Docker without that option says of it.
      { gsub(/<no value>/, "") }
      { name = $2 == "" ? "br-" substr($1, 1, 12) : $2 }
      NF && name ~ /^[A-Za-z0-9_.-]+$/ && length(name) < 16 && $3 $4 ~ /^[a-z-]*$/ { print name, $3 == "" ? "nat" : $3, $4 == "" ? "nat" : $4 }' |
      sort | put_file /var/lib/meshboot/bridges 600
    # Known to be so since then.
    dry || touch -r "$TMP/asked" "$STATE/bridges"
  fi
}

# Whether Docker has told of all that it has now.
are_bridges_told() {
  [ -e "$STATE/bridges" ] && [ -z "$(find "$R$DOCKER_NETWORKS" -newer "$STATE/bridges" 2>/dev/null)" ]
}

# Whether a Docker is here that has networks and has not told of them.
is_docker_to_tell() {
  has dockerd && [ -e "$R$DOCKER_NETWORKS" ] && ! are_bridges_told
}

# What is called nearly as Docker calls its bridges and is the user's own (br-lan, br-ex), as elements of a set. A name that Docker
# could give is never among them, told of or not: Docker makes a bridge at any time, and nobody is to reach past it until it tells.
own_bridges() (
  set +f
  own=''
  for path in "$R"/sys/class/net/br-*; do
    name=${path##*/}
    # shellcheck disable=SC2254 # a pattern
    case $name in
    *[!A-Za-z0-9_.-]* | $DOCKER_BRIDGE) continue ;;
    esac
    case $NL$(read_file "$STATE/bridges") in
    *"$NL$name "*) ;;
    *) own="$own${own:+, }\"$name\"" ;;
    esac
  done
  echo "$own"
)

# Those with names of the user's, as further elements of a set.
named_bridges() {
  [ -s "$STATE/bridges" ] || return 0
  awk '$1 !~ /^(docker0$|br-)/ { printf ", \"%s\"", $1 }' "$STATE/bridges"
}

# Rules for those whose addresses the user wants to be reached.
opened_bridges() {
  [ -s "$STATE/bridges" ] || return 0
  awk '
    { for (i = 2; i <= 3; i++) if ($i ~ /^(routed|nat-unprotected)$/) print "meta nfproto ipv" (i == 2 ? 4 : 6), "fib daddr oifname \"" $1 "\" accept" }' "$STATE/bridges"
}
