# The verb bake: this server becomes the master of an image. All is installed that `up` would install, nothing is enrolled,
# and what would be the same on every server made of it is removed.

bake_usage() {
  warn "$1: meshboot bake [--check]"
  exit 2
}

# What cannot be undone is refused: an identity in use, somebody's containers. Without cloud-init a server made of the
# image would have neither user-data nor SSH host keys.
check_master() {
  STEP=preflight
  ! has_lease || refuse 'this server is a node, and would lose its identity: meshboot down --release first, or take another server'
  [ ! -s "$ETC/key" ] || refuse '/etc/meshboot/key holds a key, which every server made of the image would have: rm /etc/meshboot/key'
  member=$(find "$ZT/networks.d" -name '*.conf' ! -name '*.local.conf' 2>/dev/null | sed -n '1s|.*/\(.*\)[.]conf$|\1|p')
  [ -z "$member" ] || refuse "zerotier-one is a member of network $member, and would lose its identity: zerotier-cli leave $member first, or take another server"
  kept=$(find "$R/var/lib/docker/containers" "$R/var/lib/docker/volumes" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | head -n 1)
  [ -z "$kept" ] || refuse "Docker has containers or volumes here (${kept#"$R"}), which would be lost: docker ps -a, docker volume ls; remove them, or take another server"
  has cloud-init || refuse 'there is no cloud-init, by which a server made of the image gets its key, host name and SSH host keys: apt-get install cloud-init'
}

# From a registry, by a dockerd whose state does not stay. The first boot loads it.
preload_ipv6nat() {
  if [ "$IPV6NAT" != container ] || [ "$LAYOUT" = compose ] || [ -e "$STATE/ipv6nat.tar" ]; then
    return 0
  fi
  STEP=ipv6nat
  has docker || refuse "IPV6NAT=container needs Docker in the image, and DOCKER=$DOCKER installs none"
  say "fetches the image $IPV6NAT_IMAGE"
  systemctl start docker.service || fail 'dockerd does not start: see journalctl -u docker'
  timeout 300 docker pull -q "$IPV6NAT_IMAGE" >/dev/null 2>"$TMP/pull" </dev/null ||
    fail "no image $IPV6NAT_IMAGE: $(printable "$(tail -n 1 "$TMP/pull")")"
  timeout 120 docker save -o "$STATE/ipv6nat.tar.part" "$IPV6NAT_IMAGE" </dev/null
  mv "$STATE/ipv6nat.tar.part" "$STATE/ipv6nat.tar"
}

# Both start with the first lease: dockerd then has its options, and the identity is the server's own.
stop_services() {
  STEP=services
  say 'zerotier-one and docker stay off until there is a lease'
  : >"$STATE/masked"
  systemctl -q unmask --runtime docker.service docker.socket 2>/dev/null || :
  for unit in docker.socket docker.service zerotier-one.service; do
    systemctl -q disable --now $unit 2>/dev/null || :
  done
  systemctl stop containerd.service 2>/dev/null || :
}

# What is in the image: for people, and for the first boot, which then waits for no network before it enrols.
describe_image() {
  STEP=image
  look_at_facts
  printf '{"baked":"%s","layout":"%s","ipv6nat":"%s",%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$LAYOUT" "$IPV6NAT" "${FACTS#?}" |
    put_file /etc/meshboot/image.json 644
  # shellcheck disable=SC2016 # dpkg-query's own
  dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n' | put_file /etc/meshboot/image.packages 644
  # They stay when `down` undoes what `up` did.
  read_file "$STATE/files" | grep -v '^/etc/meshboot/image[.]' >"$TMP/files" || :
  mv "$TMP/files" "$STATE/files"
}

make_image() {
  BAKING=yes
  mkdir -p "$RUN"
  chmod 700 "$RUN"
  lock
  LOG=$RUN/log
  : >"$LOG"
  STEP=settings
  read_settings
  check_system
  check_master
  make_state
  finish_interrupted_install
  install_tools
  install_zerotier
  STEP=dockerd
  install_docker
  systemctl -q unmask --runtime docker.service docker.socket 2>/dev/null || :
  preload_ipv6nat
  stop_services
  describe_image
  clean
  LOG=/dev/null
  rm -rf "$RUN/log" "$RUN/facts"
}

bake() { # [--check]
  case $# in
  0) make_image ;;
  1) [ "$1" = --check ] || bake_usage "$(printable "$1") is unknown" ;;
  *) bake_usage 'too many arguments' ;;
  esac
  check_hygiene
}
