# The tun device, which ZeroTier makes its interface with.

# The device may be there and its driver not: opening tells, and has the kernel load the driver where it can.
has_tun() {
  { true <"$R/dev/net/tun"; } 2>/dev/null
}

# Why not, and what to do.
tun_fault() {
  kernel=$(uname -r)
  if systemd-detect-virt -qc 2>/dev/null; then
    echo 'this server is a container that may not use /dev/net/tun, which ZeroTier needs: its provider can allow that (TUN/TAP)'
  elif [ ! -d "$R/lib/modules/$kernel" ]; then
    echo "the kernel has no tun, which ZeroTier needs, and the modules of the running kernel $kernel are not on this disk: reboot into the kernel that is installed"
  else
    echo "the kernel $kernel has no module tun, which ZeroTier needs: install it (linux-modules-extra-$kernel), or a kernel that has it (linux-image-$(dpkg --print-architecture 2>/dev/null || echo amd64)), and reboot"
  fi
}
