# The user's /etc/docker/daemon.json.

DAEMON_JSON=/etc/docker/daemon.json

# WANTED, what dockerd is to have, and of that in `options` what it gets as options.
choose_options() {
  json=''
  if [ -s "$R$DAEMON_JSON" ]; then
    load_tools || fail "$DAEMON_JSON is not read: $why"
    json=$(json_members <"$R$DAEMON_JSON") || refuse "$DAEMON_JSON is not JSON: dockerd does not start with it either"
  fi
  WANTED=$(docker_options | tr '\n' ' ')
  options=$WANTED
  [ -z "$json" ] || options=$(printf '%s\n' "$json" "$WANTED" | options_beside_json)
  options=${options% }
  case $options in
  '!'*) refuse "$DAEMON_JSON ${options#??}: dockerd takes it once only, and does not start with both; remove it there, or set it to the same" ;;
  esac
  case $IPV6NAT$json in container*'json ip6tables true'*) refuse "$DAEMON_JSON sets ip6tables to true, and IPV6NAT=container translates as well: remove it there, or set IPV6NAT=docker in $CONF" ;; esac
  case $IPV6$IPV6NAT$json in on[ad]*'json ip6tables false'*) warn "daemon.json has ip6tables off: nothing translates the containers' IPv6 to the outside, unless you do" ;; esac
  case $json in
  *'json iptables false'*) warn 'daemon.json has iptables off: Docker makes no rules, so ports are not published and nothing translates to the outside, unless you do' ;;
  esac
}
