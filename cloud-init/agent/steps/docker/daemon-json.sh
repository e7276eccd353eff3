# The user's /etc/docker/daemon.json.

# Its members.
daemon_json_members() {
  read_line "$R$DAEMON_JSON"
  case $LINE in
  "$(printf '\377\376')"* | "$(printf '\376\377')"* | "$(printf '\357\273\277')"*)
    look_at_docker_major
    [ "${major:-99}" -ge 23 ] || refuse "$DAEMON_JSON begins with a byte order mark, with which dockerd $major does not start: sed -i '1s/^...//' $DAEMON_JSON"
    ;;
  esac
  daemon_json | json_members || refuse "$DAEMON_JSON is not JSON: dockerd does not start with it either"
}

# WANTED, what dockerd is to have, and of that in `options` what it gets as options.
choose_options() {
  json=''
  if [ -s "$R$DAEMON_JSON" ]; then
    json=$(daemon_json_members) || exit
  fi
  WANTED=$(docker_options | tr '\n' ' ')
  options=$WANTED
  [ -z "$json" ] || options=$(printf '%s\n' "$json" "$WANTED" | options_beside_json)
  options=${options% }
  case $options in
  '!'*) refuse "$DAEMON_JSON ${options#??}: dockerd takes it once only, and does not start with both; remove it there, or set it to the same" ;;
  esac
  case $IPV6NAT$json in container*'json ip6tables true'*) refuse "$DAEMON_JSON sets ip6tables to true, and IPV6NAT=container translates as well: remove it there, or set IPV6NAT=docker in $CONF" ;; esac
  case $IPV6$IPV6NAT$json in on[ad]*'json ip6tables false'*) advise "daemon.json has ip6tables off: nothing translates the containers' IPv6 to the outside, unless you do" ;; esac
  case $json in
  *'json iptables false'*) advise 'daemon.json has iptables off: Docker makes no rules, so ports are not published and nothing translates to the outside, unless you do' ;;
  esac
}

# Members, then dockerd's options, on stdin: the options that the file does not give already. dockerd takes none twice, not
# even with the same value. On a conflict `! what is wrong`, and nothing else.
options_beside_json() {
  awk '
    $1 == "json" { set[$2] = substr($0, length($2) + 7); next }
    {
      for (i = 1; i <= NF; i++) {
        key = $i
        value = "true"
        if (at = index(key, "=")) {
          value = substr(key, at + 1)
          key = substr(key, 1, at - 1)
        }
        key = substr(key, 3)
        if (value !~ /^(true|false|[0-9]+)$/) value = "\"" value "\""
        if (key == "default-network-opt") {
          key = "default-network-opts"
          split(value, part, /["=]/)
          value = "{\"" part[2] "\":{\"" part[3] "\":\"" part[4] "\"}}"
        }
        if (key == "default-address-pool") {
          key = "default-address-pools"
          split(value, part, /[=,"]+/)
          value = "{\"base\":\"" part[3] "\",\"size\":" part[5] "}"
          value = (key in want ? substr(want[key], 1, length(want[key]) - 1) "," : "[") value "]"
        }
        if (!(key in want)) keys[++n] = key
        want[key] = value
        words[key] = words[key] $i " "
      }
    }
    END {
      # What does not go with ours, whatever its value: beside bip6, say, no container starts on docker0. Empty it is not set.
      if ("bip" in want) against["bridge"] = against["default-gateway"] = "bip"
      if ("fixed-cidr-v6" in want) against["bip6"] = against["default-gateway-v6"] = "fixed-cidr-v6"
      for (i = split("bridge default-gateway bip6 default-gateway-v6", other, " "); i; i--) {
        key = other[i]
        if (key in against && key in set && set[key] != "\"\"") bad = ", " key " to " set[key] ", which excludes " against[key] bad
      }
      for (i = 1; i <= n; i++) {
        if (!(keys[i] in set)) text = text words[keys[i]]
        else if (set[keys[i]] != want[keys[i]]) bad = bad ", " keys[i] " to " set[keys[i]] " instead of " want[keys[i]]
      }
      print bad ? "! sets" substr(bad, 2) : text
    }'
}
