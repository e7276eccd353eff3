# Docker's packages, and Docker in forms that take no options from docker.service.

check_other_docker() {
  [ ! -e "$R/snap/docker" ] || refuse "Docker is here as a snap, which takes no options from outside: snap remove docker, then install Debian's or Ubuntu's (DOCKER=distro)"
  [ ! -e "$R/var/lib/dpkg/info/podman-docker.list" ] || refuse "podman-docker is here: Podman is no dockerd, and Docker's packages do not go beside it: apt-get remove podman-docker"
}

docker_packages() {
  if [ "$DOCKER" = official ]; then
    at=https://download.docker.com/linux/$ID
    apt_has docker-ce || add_repository docker "$at/gpg" 9DC858229FC7DD38854AE2D88D81803C0EBFCD88 "$at $CODENAME stable"
    packages='docker-ce docker-ce-cli containerd.io apparmor'
  else
    packages='docker.io apparmor'
    # From Debian 13 on the command is a package of its own, and only recommended.
    case $OS in debian\ 12\ * | ubuntu*) ;; *) packages="$packages docker-cli" ;; esac
  fi
}

# Not containerd, which others use too.
DOCKER_PACKAGES='docker.io docker-cli docker-compose docker-compose-v2 docker-buildx docker-ce docker-ce-cli docker-ce-rootless-extras docker-buildx-plugin docker-compose-plugin'
# containerd of one kind without a dockerd is how a node of Kubernetes has it.
docker_choices() {
  case $DOCKER in
  official) other="DOCKER=distro has the distribution's packages, which go with its own containerd and runc" ;;
  *) other="DOCKER=official has Docker's own packages, which go with containerd.io" ;;
  esac
  echo "In $CONF: $other; DOCKER=present takes the Docker that you install, or none"
}

compose_package() {
  # That of the Docker that is there.
  case $([ ! -e "$R/var/lib/dpkg/info/docker-ce.list" ] || echo official)$DOCKER$ID in
  official*) echo docker-compose-plugin ;;
  *ubuntu) echo docker-compose-v2 ;;
  *) echo docker-compose ;;
  esac
}

install_docker() {
  if [ "$DOCKER" = present ]; then
    return 0
  fi
  packages=''
  if ! has dockerd; then
    docker_packages
    # shellcheck disable=SC2086 # package names, one word each
    check_packages "$(docker_choices)" $packages
    # Masked while it is installed, so that its first start already has our options. A reboot in between takes the mask and not the mark.
    run touch "$STATE/masked"
    run systemctl -q mask --runtime docker.service docker.socket
  fi
  if [ "$COMPOSE" = on ] && ! has docker-compose && ! docker compose version >/dev/null 2>&1; then
    packages="$packages $(compose_package)"
  fi
  if [ -n "$packages" ]; then
    # shellcheck disable=SC2086 # package names, one word each
    install $packages
  fi
}

# Only where docker.service is not to run: beside it a rootless one does no harm.
check_rootless_docker() {
  socket=$(find "$R/run/user" -maxdepth 2 -name docker.sock 2>/dev/null | head -n 1)
  [ -z "$socket" ] || refuse "dockerd runs rootless (${socket#"$R"}): its containers have no addresses on this host, so none in the mesh. systemctl enable --now docker runs it as root"
}
