# The names of the mesh's servers in /etc/hosts, see base/hosts.sh. The list comes with the report.

hosts_up() {
  if [ "$HOSTS" = off ]; then
    drop_hosts || end_with 1 'the names of servers are still in /etc/hosts'
  else
    put_hosts || end_with 1 'the names of servers are not in /etc/hosts'
  fi
}

# Nothing: each report looks at it, also behind a run that had nothing to do. A run for each server that comes would cost more.
hosts_state() {
  :
}

# An earlier version leaves the lines, and takes the list.
hosts_down() {
  ! grep -qs "$HOSTS_MARK\$" "$R/etc/hosts" || put_hosts_text </dev/null
}

hosts_doctor() {
  if [ "${HOSTS:-off}" = on ]; then
    look hosts lease
  fi
}

doctor_hosts() {
  if [ ! -s "$STATE/hosts" ]; then
    warning 'the Worker was not asked for the names of servers yet' '' 'meshboot up'
    return 0
  fi
  host_lines >"$TMP/hosts"
  if ! hosts_text <"$TMP/hosts" | cmp -s - "$R/etc/hosts"; then
    warning "/etc/hosts has not the names of all servers" "$(cut -d ' ' -f 2 "$TMP/hosts" | sort -u | wc -l | tr -d ' ') of them" 'meshboot up'
  fi
  left=$(hosts_text left <"$TMP/hosts" | tr '\n' ' ')
  [ -z "$left" ] || finding note "left out, since they mean something else here: $left"
}
