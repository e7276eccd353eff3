# Docker in forms that take no options from docker.service.

check_other_docker() {
  [ ! -e "$R/snap/docker" ] || refuse "Docker is here as a snap, which takes no options from outside: snap remove docker, then install Debian's or Ubuntu's (DOCKER=distro)"
  [ ! -e "$R/var/lib/dpkg/info/podman-docker.list" ] || refuse "podman-docker is here: Podman is no dockerd, and Docker's packages do not go beside it: apt-get remove podman-docker"
}

# Only where docker.service is not to run: beside it nobody minds a rootless one.
check_rootless_docker() {
  socket=$(find "$R/run/user" -maxdepth 2 -name docker.sock 2>/dev/null | head -n 1)
  [ -z "$socket" ] || refuse "dockerd runs rootless (${socket#"$R"}): its containers have no addresses on this host, so none in the mesh. systemctl enable --now docker runs it as root"
}
