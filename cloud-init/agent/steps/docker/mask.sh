# Docker held back until it has its options.

# It was masked while it was installed. A mask of somebody else's is not ours to take away.
unmask_docker() {
  if [ -e "$STATE/masked" ] && { [ -L "$R/run/systemd/system/docker.service" ] || [ -L "$R/run/systemd/system/docker.socket" ]; }; then
    run systemctl -q unmask --runtime docker.service docker.socket
  fi
}
