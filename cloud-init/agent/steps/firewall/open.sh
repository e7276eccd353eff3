# Firewalls of the user's own let the mesh through.

open_firewalls() {
  STEP=firewall
  dry || remember_firewall
  hook_firewalls
  if has_firewalld; then
    open_firewalld
  fi
  open_chains
}

close_firewalls() {
  if [ -e "$STATE/direct" ]; then
    close_firewalld
  fi
  UNDO=yes
  open_chains
  UNDO=''
}
