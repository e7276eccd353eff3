# Whether this server may become the master of an image: what cannot be undone is refused.

refuse_found() { # WHAT, paths on stdin
  path=$(head -n 1)
  [ -z "$path" ] || refuse "${path#"$R"}: $1, which would be lost or be on every server made of the image. Take a server that is for nothing else, or remove it"
}

refuse_any() { # WHAT PATH... FIND-EXPRESSION...
  what=$1
  shift
  look_for refuse_found "$what" find "$@"
}

# What says where Docker's data is, if not where it always is.
docker_data_root() {
  if grep -qsE '"(data-root|graph)"' "$R$DAEMON_JSON"; then
    printf '%s\n' "$DAEMON_JSON"
  fi
  if has dockerd; then
    look_at_docker
    docker_words | sed -nE "s/^(--data-root|--graph|--config-file|-g)(.*)/dockerd's &/p"
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

check_master() {
  STEP=master
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
