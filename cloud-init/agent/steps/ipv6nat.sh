# IPv6 to the outside by a container, which does what dockerd itself does with --ip6tables. Never both.

# In layout compose it is a service of the project's, which `meshboot compose` prints.
has_own_ipv6nat() {
  [ "$IPV6$IPV6NAT" = oncontainer ] && [ "$LAYOUT" != compose ]
}

ipv6nat_up() {
  if ! has_own_ipv6nat; then
    ipv6nat_down
  fi
  if ! has docker || ! is_running docker; then
    return 0
  fi
  if [ "$IPV6NAT" != off ] && [ "$LAYOUT$IPV6NAT" != composecontainer ]; then
    theirs=$(ipv6nat_containers | grep -vxF meshboot-ipv6nat | head -n 1) || :
    [ -z "$theirs" ] || refuse "the container $(printable "$theirs") translates IPv6, and so would IPV6NAT=$IPV6NAT: remove it (docker rm -f), or set IPV6NAT=off in $CONF to keep it"
  fi
  if has_own_ipv6nat; then
    start_ipv6nat
  fi
}

ipv6nat_down() {
  if [ -e "$R$UNITS/meshboot-ipv6nat.service" ]; then
    say 'stops meshboot-ipv6nat.service'
    run systemctl -q disable --now meshboot-ipv6nat.service || :
    run systemctl -q reset-failed meshboot-ipv6nat.service 2>/dev/null || :
    dry || drop_files /meshboot-ipv6nat
    run systemctl daemon-reload
  fi
}

# The socket is dockerd itself, read-only or not: who is in this container is root on the host. It gets nothing else that
# it can do without: our own rules have loaded the kernel's ip6_tables, so it needs no SYS_MODULE.
write_ipv6nat_unit() {
  put_file $UNITS/meshboot-ipv6nat.service 644 <<EOF
[Unit]
Description=IPv6 NAT for the containers of the mesh
After=docker.service
PartOf=docker.service
StartLimitIntervalSec=0
[Service]
Environment=DOCKER_HOST=$DOCKER_HOST
ExecStartPre=-docker rm -f meshboot-ipv6nat
ExecStart=docker run --rm --name meshboot-ipv6nat --network host --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW --security-opt no-new-privileges -v ${DOCKER_HOST#unix://}:/var/run/docker.sock:ro $IPV6NAT_IMAGE --retry --cleanup
ExecStop=-docker stop meshboot-ipv6nat
Restart=always
RestartSec=30
[Install]
WantedBy=docker.service
EOF
  reload_written
}

# What an image brings, so that the first boot needs no registry.
load_ipv6nat_image() {
  if [ -e "$STATE/ipv6nat.tar" ]; then
    say "loads an image from /var/lib/meshboot/ipv6nat.tar"
    if run timeout 120 docker load -q -i "$STATE/ipv6nat.tar" >/dev/null </dev/null; then
      run rm -f "$STATE/ipv6nat.tar"
    else
      warn 'it cannot be loaded'
    fi
  fi
}

start_ipv6nat() {
  write_ipv6nat_unit
  run systemctl -q enable meshboot-ipv6nat.service
  load_ipv6nat_image
  if ! dry && ! timeout 60 docker image inspect "$IPV6NAT_IMAGE" >/dev/null 2>&1 </dev/null; then
    timeout 300 docker pull -q "$IPV6NAT_IMAGE" >/dev/null 2>"$TMP/pull" </dev/null ||
      warn "no image $IPV6NAT_IMAGE, so no IPv6 to the outside: $(printable "$(tail -n 1 "$TMP/pull")"). It is tried again every 30 s. Without a registry: docker load, or another IPV6NAT_IMAGE in $CONF"
  fi
  # Without a container the unit's next attempt, every 30 s, takes the image from the unit as it is then.
  image=$(timeout 60 docker inspect -f '{{.Config.Image}}' meshboot-ipv6nat 2>/dev/null </dev/null) || image=$IPV6NAT_IMAGE
  if [ "$image" != "$IPV6NAT_IMAGE" ] || ! is_running meshboot-ipv6nat; then
    run systemctl restart --no-block meshboot-ipv6nat.service
  fi
}

# From a registry, by a dockerd whose state does not stay. The first boot loads it.
ipv6nat_bake() {
  rm -f "$STATE/ipv6nat.tar"
  if [ "$IPV6NAT" != container ] || [ "$LAYOUT" = compose ]; then
    return 0
  fi
  has docker || refuse "IPV6NAT=container needs Docker in the image, and DOCKER=$DOCKER installs none"
  say "fetches the image $IPV6NAT_IMAGE"
  systemctl start docker.service || fail 'dockerd does not start: see journalctl -u docker'
  timeout 300 docker pull -q "$IPV6NAT_IMAGE" >/dev/null 2>"$TMP/pull" </dev/null ||
    fail "no image $IPV6NAT_IMAGE: $(printable "$(tail -n 1 "$TMP/pull")")"
  timeout 120 docker save -o "$STATE/ipv6nat.tar.part" "$IPV6NAT_IMAGE" 2>"$TMP/pull" </dev/null ||
    fail "cannot keep $IPV6NAT_IMAGE: $(printable "$(tail -n 1 "$TMP/pull")")"
  mv "$STATE/ipv6nat.tar.part" "$STATE/ipv6nat.tar"
}

ipv6nat_state() {
  watch_files "$STATE/ipv6nat.tar" "$R/var/lib/docker/containers"
  watch_units meshboot-ipv6nat
}
