# up, step 10: IPv6 to the outside by a container, which does what dockerd itself does with --ip6tables. Never both.

# Containers that run ipv6nat, one name a line.
ipv6nat_containers() {
  timeout 20 docker ps --format '{{.Names}} {{.Image}}' 2>/dev/null </dev/null | awk '$2 ~ /ipv6nat/ { print $1 }'
}

# In layout compose it is a service of the project's: see compose.sh.
has_own_ipv6nat() {
  [ "$IPV6$IPV6NAT" = oncontainer ] && [ "$LAYOUT" != compose ]
}

configure_ipv6nat() {
  STEP=ipv6nat
  if ! has_own_ipv6nat; then
    stop_ipv6nat
  fi
  if ! has docker || ! is_running docker; then
    return 0
  fi
  if [ "$IPV6NAT" != off ] && [ "$LAYOUT$IPV6NAT" != composecontainer ]; then
    theirs=$(ipv6nat_containers | grep -vxF meshboot-ipv6nat | head -n 1) || :
    [ -z "$theirs" ] || refuse "the container $(printable "$theirs") translates IPv6, and so would IPV6NAT=$IPV6NAT: remove it (docker rm -f), or set IPV6NAT=off in $CONF to keep it"
  fi
  if has_own_ipv6nat; then
    if load_tools; then
      start_ipv6nat
    else
      why="IPV6NAT=container is among the tools: $why"
      [ -e "$R$UNITS/meshboot-ipv6nat.service" ] || fail "$why"
      warn "$why"
    fi
  fi
}

stop_ipv6nat() {
  if [ -e "$R$UNITS/meshboot-ipv6nat.service" ]; then
    say 'stops meshboot-ipv6nat.service'
    run systemctl -q disable --now meshboot-ipv6nat.service || :
    dry || drop_files /meshboot-ipv6nat
    run systemctl daemon-reload
  fi
}
