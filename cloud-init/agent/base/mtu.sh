# The MTU of containers.

# What MTU comes to. Nothing where it is Docker's own 1500; what dockerd has got already, while the mesh's interface is away.
container_mtu() {
  mtu=$MTU
  if [ "$MTU" = auto ]; then
    read_line "$R/sys/class/net/$DEV/mtu"
    mtu=${LINE:-$(read_file "$ETC/dockerd.env" | sed -n 's/.* --mtu=\([0-9]*\).*/\1/p')}
  fi
  [ "$mtu" = 1500 ] || echo "$mtu"
}

# PACKET and TUNNEL: the largest packet that a container sends, and that the mesh carries whole.
look_at_packets() {
  PACKET=$(container_mtu)
  PACKET=${PACKET:-$(read_file "$R/sys/class/net/docker0/mtu")}
  PACKET=${PACKET:-1500}
  read_line "$R/sys/class/net/$DEV/mtu"
  TUNNEL=${LINE:-2800}
}

MTU_OPTION=com.docker.network.driver.mtu
