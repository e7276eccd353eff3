# The programs that the agent itself needs.

# A program may be there and its package not configured: then nothing else would ever finish it.
finish_interrupted_install() {
  if [ -e "$STATE/installing" ] && ! dry; then
    say 'finishes an installation that was interrupted'
    configure_packages
    rm -f "$STATE/installing"
  fi
}

install_prerequisites() {
  missing=''
  for tool in curl:curl nft:nftables iptables:iptables ip:iproute2; do
    if ! has "${tool%:*}"; then
      missing="$missing ${tool#*:}"
    fi
  done
  if [ ! -e "$R/etc/ssl/certs/ca-certificates.crt" ]; then
    missing="$missing ca-certificates"
  fi
  if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # package names, one word each
    install $missing
  fi
}

prerequisites_up() {
  take_back_sources || :
  finish_interrupted_install
  install_prerequisites
}

prerequisites_state() {
  watch_programs curl nft iptables ip
  watch_files "$STATE/installing" "$R/var/lib/dpkg/status" "$R/etc/apt/sources.list.d"
}

prerequisites_bake() {
  prerequisites_up
}
