# Docker in forms that take no options from docker.service.

check_other_docker() {
  [ ! -e "$R/snap/docker" ] || refuse "Docker is here as a snap, which takes no options from outside: snap remove docker, then install Debian's or Ubuntu's (DOCKER=distro)"
  [ ! -e "$R/var/lib/dpkg/info/podman-docker.list" ] || refuse "podman-docker is here: Podman is no dockerd, and Docker's packages do not go beside it: apt-get remove podman-docker"
}
