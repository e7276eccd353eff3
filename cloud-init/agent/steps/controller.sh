# This node's part with the controller of the mesh, as the lease says: it hosts it, or may come to.

controller_up() {
  if [ -n "$L_CONTROLLER" ]; then
    start_controller_work
  else
    controller_down
  fi
}

controller_down() {
  if [ -e "$R$UNITS/meshboot-controller-work.service" ]; then
    say 'stops meshboot-controller-work.service'
    run systemctl -q disable --now meshboot-controller-work.service || :
    run systemctl -q reset-failed meshboot-controller-work.service meshboot-controller.service 2>/dev/null || :
    stop_controller
    drop_files /meshboot-controller
    run systemctl daemon-reload
  fi
}

controller_state() {
  watch_units meshboot-controller-work
}

controller_status() {
  if [ -n "$L_CONTROLLER" ]; then
    status_text controller "$L_CONTROLLER"
  fi
}

doctor_controller() {
  is_running meshboot-controller-work ||
    fault 'meshboot-controller-work.service does not run: the controller of the mesh is told nothing, and no server comes in' '' 'systemctl enable --now meshboot-controller-work.service; journalctl -u meshboot-controller-work'
  [ "$L_CONTROLLER" != yours ] || is_running meshboot-controller ||
    fault 'meshboot-controller.service does not run: no server comes in. It starts when the Worker has said that it is the turn of this node' '' 'journalctl -u meshboot-controller-work -u meshboot-controller'
}

controller_doctor() {
  [ -z "${L_CONTROLLER:-}" ] || look controller lease
}
