# Only where docker.service is not to run: beside it nobody minds a rootless one.
check_rootless_docker() {
  socket=$(find "$R/run/user" -maxdepth 2 -name docker.sock 2>/dev/null | head -n 1)
  [ -z "$socket" ] || refuse "dockerd runs rootless (${socket#"$R"}): its containers have no addresses on this host, so none in the mesh. systemctl enable --now docker runs it as root"
}
