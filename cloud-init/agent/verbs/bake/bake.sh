# The verb bake: this server becomes the master of an image. All is installed that `up` would install, nothing is enrolled,
# and what would be the same on every server made of it is removed.

bake_usage() {
  warn "$1: meshboot bake --yes|--check. --yes wipes this server's identity, keys, logs and Docker's state: it has to be for nothing else. --yes --in-use bakes one on which something listens"
  exit 2
}

# dockerd first starts with the first lease, when it has its options.
set_services() {
  STEP=services
  say 'docker stays off until there is a lease'
  systemctl stop docker.socket docker.service containerd.service zerotier-one.service 2>/dev/null || :
  systemctl -q enable meshboot.service meshboot.timer zerotier-one.service
  if has dockerd; then
    : >"$STATE/masked"
    systemctl -q enable docker.service docker.socket
    for unit in docker.service docker.socket; do
      put_file $UNITS/$unit.d/50-meshboot-image.conf 644 <<'EOF'
[Unit]
ConditionPathExists=|/etc/meshboot/dockerd.env
ConditionPathExists=|!/var/lib/meshboot/masked
EOF
    done
  fi
  # Where cloud-init does not run, nobody else would make the host keys, nor those that a power cut left empty.
  put_file $UNITS/ssh.service.d/50-meshboot-image.conf 644 <<'EOF'
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c '/usr/sbin/sshd -t 2>/dev/null || { ssh-keygen -A; exec /usr/sbin/sshd -t; }'
EOF
  reload_written
}

# What is in the image: for people, and for the first boot, which then waits for no network before it enrols.
describe_image() {
  STEP=image
  look_at_facts
  printf '{"baked":"%s","layout":"%s","ipv6nat":"%s",%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$LAYOUT" "$IPV6NAT" "${FACTS#?}" |
    put_file /etc/meshboot/image.json 644
  # shellcheck disable=SC2016 # dpkg-query's own
  dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n' >"$TMP/packages"
  put_file /etc/meshboot/image.packages 644 <"$TMP/packages"
}

make_image() { # [in-use]
  BAKING=yes
  make_run
  lock
  LOG=$RUN/log
  : >"$LOG"
  STEP=settings
  read_settings
  take system up
  check_master
  [ -n "$1" ] || check_nobody_is_served
  make_state
  : >"$STATE/baking"
  take_each bake
  set_services
  describe_image
  clean
  LOG=/dev/null
  rm -rf "$RUN/log" "$RUN/facts" "$STATE/baking"
  check_hygiene
  drop_host_keys
  # A snapshot taken now has it all.
  sync
}

bake() { # --yes|--check
  case $* in
  --yes) make_image '' ;;
  '--yes --in-use') make_image in-use ;;
  --check)
    check_hygiene
    none_of 'SSH host keys' "$R/etc/ssh/" -name 'ssh_host_*'
    ;;
  '') bake_usage 'nothing was said' ;;
  *) bake_usage "$(printable "$*") is unknown" ;;
  esac
  sum_up_hygiene
}
