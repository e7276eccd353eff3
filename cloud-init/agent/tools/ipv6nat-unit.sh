# The container of IPV6NAT=container. Few servers have it, so it does not travel in user-data.

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
ExecStartPre=-docker rm -f meshboot-ipv6nat
ExecStart=docker run --rm --name meshboot-ipv6nat --network host --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW --security-opt no-new-privileges -v /var/run/docker.sock:/var/run/docker.sock:ro $IPV6NAT_IMAGE --retry --cleanup
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
