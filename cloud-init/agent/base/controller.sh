# The controller that this node may host: a second zerotier-one with a home, an identity and a port of its own, and the unit that asks
# the Worker what it is to do.

CONTROLLER_HOME=/var/lib/meshboot-controller
CONTROLLER_PORT=9994

# Nothing starts the controller by itself at a boot: it may be another node's turn by now, which the Worker alone knows.
write_controller_units() {
  put_file $UNITS/meshboot-controller.service 644 <<EOF
[Unit]
Description=Meshboot, the controller of the mesh
After=network-online.target
Wants=network-online.target
[Service]
ExecStart=/usr/sbin/zerotier-one -p$CONTROLLER_PORT $CONTROLLER_HOME
KillMode=process
Restart=always
RestartSec=5
EOF
  put_file $UNITS/meshboot-controller-work.service 644 <<'EOF'
[Unit]
Description=Meshboot, asking what the controller is to do
After=network-online.target zerotier-one.service
Wants=network-online.target
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/local/sbin/meshboot controller
IgnoreSIGPIPE=no
SyslogIdentifier=meshboot
Restart=always
RestartSec=10
[Install]
WantedBy=multi-user.target
EOF
}

start_controller_work() {
  write_controller_units
  reload_written
  if ! is_running meshboot-controller-work; then
    say 'starts meshboot-controller-work.service'
    run systemctl -q enable --now meshboot-controller-work.service
  fi
}

# What the controller knew goes with it: the Worker knows it too.
stop_controller() {
  if [ -e "$R$CONTROLLER_HOME" ] || is_running meshboot-controller; then
    say "stops the controller, and removes $CONTROLLER_HOME"
    run systemctl stop meshboot-controller.service || :
    run rm -rf "$R$CONTROLLER_HOME"
  fi
}
