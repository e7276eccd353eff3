# The user's /etc/docker/daemon.json.

# dockerd does not start when a directive is in this file and on its command line, not even with the same value.
check_daemon_json() {
  clash=''
  directives='bip fixed-cidr ipv6 fixed-cidr-v6 default-address-pools'
  if has dockerd; then
    directives="$directives $(nat_options)"
  fi
  for key in $directives; do
    key=${key#--}
    key=${key%=*}
    if grep -qs "\"$key\"[[:space:]]*:" "$R/etc/docker/daemon.json"; then
      clash="$clash $key"
    fi
  done
  [ -z "$clash" ] || refuse "/etc/docker/daemon.json sets$clash, which meshboot sets: remove it there, dockerd takes it once only"
}
