# The verb bake: this server becomes the master of an image. All is installed that `up` would install, nothing is enrolled,
# and what would be the same on every server made of it is removed.

bake_usage() {
  warn "$1: meshboot bake --yes|--check. --yes wipes this server's identity, keys, logs and Docker's state: it has to be for nothing else. --yes --in-use bakes one on which something listens"
  exit 2
}

refuse_found() { # WHAT, paths on stdin
  path=$(head -n 1)
  [ -z "$path" ] || refuse "${path#"$R"}: $1, which would be lost or be on every server made of the image. Take a server that is for nothing else, or remove it"
}

refuse_any() { # WHAT PATH... FIND-EXPRESSION...
  what=$1
  shift
  find "$@" 2>/dev/null >"$TMP/found" || :
  refuse_found "$what" <"$TMP/found"
}

# What says where Docker's data is, if not where it always is.
docker_data_root() {
  if grep -qsE '"(data-root|graph)"' "$R$DAEMON_JSON"; then
    echo "$DAEMON_JSON"
  fi
  if has dockerd; then
    look_at_docker
    {
      # shellcheck disable=SC2046 # paths of units hold no blanks
      exec_start $(docker_unit_files) </dev/null
      for file in $DOCKER_ENVIRONMENTS; do
        read_file "$R$file" | sed '/^[[:space:]]*#/d'
      done
    } | tr -d "\"'" | grep -oE -e '(^|[[:space:]=])(--data-root|--graph|--config-file|-g)([[:space:]=]|/)[^[:space:]]*' | sed "s/^[[:space:]=]*/dockerd's /" || :
  fi
}

# Whatever `clean` takes away and somebody may want to keep.
check_docker_is_empty() {
  at=$R/var/lib/docker
  elsewhere=$(docker_data_root | head -n 1)
  [ -z "$elsewhere" ] || refuse "$elsewhere puts Docker's data elsewhere, where it would not be looked at"
  # One folder deeper with userns-remap.
  refuse_any 'Docker has containers or volumes' -L "$at/" -mindepth 2 -maxdepth 3 -type d \( -path "$at/*containers/*" -o -path "$at/*volumes/*" \)
  refuse_any 'this is a node of a Swarm' "$at/swarm/" -type f
  # A bake that was interrupted may have left the image that it preloads.
  if [ ! -e "$STATE/baking" ]; then
    refuse_any 'Docker has images' "$at/" -path '*/imagedb/content/*' -type f
    refuse_any 'containerd has containers or images' "$R/var/lib/containerd/" -mindepth 3 -maxdepth 3 -path '*/snapshots/*'
  fi
}

# What listens where others can reach it, `program address`, but for what a fresh server has.
listeners() {
  awk '$4 !~ /^(127\.|\[::1\]|\[::ffff:127\.)/ {
    program = $6
    gsub(/^users:\(\("|".*/, "", program)
    # That of a socket unit: of ssh or rpcbind.
    if (program == "systemd" && $4 ~ /:(22|111)$/) next
    if (program !~ /^(sshd|systemd-resolve|rpcbind|zerotier-one)$/) print program == "" ? "something" : program, $4
  }' "$TMP/sockets"
}

check_nobody_is_served() {
  ss -Hltnp >"$TMP/sockets" 2>/dev/null || refuse 'there is no ss that tells whether this server serves somebody: apt-get install iproute2'
  found=$(listeners | head -n 1)
  [ -z "$found" ] || refuse "${found%% *} listens on ${found#* }: this server serves somebody, and would lose its logs, identity, and logins until its next boot. Take one that is for nothing else; if that program is to be in the image: bake --yes --in-use, npm run image -- ... --in-use"
}

# The file that tells cloud-init to look for no provider, as installers leave it. The last list wins.
no_datasource() {
  find "$R/etc/cloud/" -maxdepth 2 -name '*.cfg' \( -path "$R/etc/cloud/cloud.cfg" -o -path "$R/etc/cloud/cloud.cfg.d/*" \) 2>/dev/null | sort >"$TMP/found"
  while IFS= read -r path; do
    awk '
      /^datasource_list[ \t]*:/ { on = 1; list = $0; sub(/^[^:]*:/, "", list); next }
      on && /^([ \t]|-|\]|#|$)/ { list = list " " $0; next }
      { on = 0 }
      END { gsub(/#[^\n]*/, "", list); gsub(/[^A-Za-z0-9]+/, " ", list); if (list != "") print list }' "$path" | sed "s|^|${path#"$R"}|"
  done <"$TMP/found" | tail -n 1 | awk 'NF == 2 && $2 == "None" { print $1 }'
}

# By cloud-init a server made of the image gets its key and its host name.
check_cloud_init() {
  why='servers made of the image would have no user-data'
  if ! has cloud-init || [ -e "$R/etc/cloud/cloud-init.disabled" ]; then
    refuse "cloud-init is not there, or disabled: $why"
  fi
  ! grep -qs 'cloud-init=disabled' "$R/proc/cmdline" || refuse "the kernel's command line says cloud-init=disabled: $why. Take it out of /etc/default/grub, then update-grub"
  case $(systemctl is-enabled cloud-init.service cloud-init-network.service 2>/dev/null) in
  *masked*) refuse "cloud-init's unit is masked: $why. systemctl unmask cloud-init.service" ;;
  esac
  file=$(no_datasource)
  [ -z "$file" ] || refuse "$file names no datasource: $why. Remove that file"
}

# What cannot be undone is refused.
check_master() {
  STEP=preflight
  ! has_lease || refuse 'this server is a node, and would lose its identity: meshboot down --release first, or take another server'
  refuse_any 'left of a node: meshboot down first' "$ETC/dockerd.env" "$STATE/interface" "$STATE/docker0"
  [ ! -s "$ETC/key" ] || refuse '/etc/meshboot/key holds a key, which every server made of the image would have: rm /etc/meshboot/key'
  ! grep -qsE '^(URL|NAME|ALLOW_OVERLAP|RESTART_DOCKER)=' "$R$CONF" || refuse "$CONF is that of one server (URL, NAME, ALLOW_OVERLAP, RESTART_DOCKER): take these lines out"
  refuse_any 'zerotier-one is a member of a network' "$ZT/networks.d/" -name '*.conf' ! -name '*.local.conf'
  refuse_any 'zerotier-one is a controller' "$ZT/controller.d/" -type f
  refuse_any 'zerotier-one follows a moon (zerotier-cli deorbit)' "$ZT/moons.d/" -type f
  check_docker_is_empty
  somebodys_own refuse_found
  check_cloud_init
}

# From a registry, by a dockerd whose state does not stay. The first boot loads it.
preload_ipv6nat() {
  rm -f "$STATE/ipv6nat.tar"
  if [ "$IPV6NAT" != container ] || [ "$LAYOUT" = compose ]; then
    return 0
  fi
  STEP=ipv6nat
  has docker || refuse "IPV6NAT=container needs Docker in the image, and DOCKER=$DOCKER installs none"
  say "fetches the image $IPV6NAT_IMAGE"
  systemctl start docker.service || fail 'dockerd does not start: see journalctl -u docker'
  timeout 300 docker pull -q "$IPV6NAT_IMAGE" >/dev/null 2>"$TMP/pull" </dev/null ||
    fail "no image $IPV6NAT_IMAGE: $(printable "$(tail -n 1 "$TMP/pull")")"
  timeout 120 docker save -o "$STATE/ipv6nat.tar.part" "$IPV6NAT_IMAGE" 2>"$TMP/pull" </dev/null ||
    fail "cannot keep $IPV6NAT_IMAGE: $(printable "$(tail -n 1 "$TMP/pull")")"
  mv "$STATE/ipv6nat.tar.part" "$STATE/ipv6nat.tar"
}

# What needs no lease of what `up` puts in place: the first boot then reads no unit anew, which takes long.
hook_services() {
  STEP=services
  hook_zerotier
  hook_firewalls
  if has dockerd; then
    look_at_docker
    read_docker_unit
    write_docker_unit
  fi
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
  mkdir -p "$RUN"
  chmod 700 "$RUN"
  lock
  LOG=$RUN/log
  : >"$LOG"
  STEP=settings
  read_settings
  check_system
  check_master
  [ -n "$1" ] || check_nobody_is_served
  make_state
  : >"$STATE/baking"
  has_tools || put_file $TOOLS 600 <"$TMP/tools"
  finish_interrupted_install
  install_tools
  install_zerotier
  STEP=dockerd
  install_docker
  unmask_docker
  # Also that of an earlier bake.
  rm -f "$STATE/masked"
  preload_ipv6nat
  hook_services
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
