# Where docker0 is, and was before us.

# Where `down` brings docker0 back to, from when it is moved; where there was none, a range that nobody uses, or `none`.
remember_docker0() {
  read_line "$STATE/docker0"
  case $LAYOUT$LINE in
  compose) echo untouched | put_file /var/lib/meshboot/docker0 600 ;;
  split | bridge | [sb]*untouched)
    read_line "$STATE/pools"
    ip -o -4 addr show docker0 2>/dev/null | awk -v free="$LINE" '{ a = $4 } END { print a ? a : sub("0/16", "1/16", free) ? free : "none" }' | put_file /var/lib/meshboot/docker0 600
    ;;
  esac
}

# While live-restore keeps containers through a restart, dockerd leaves docker0 as it was.
docker0_has_address() {
  case $WANTED in
  *--bip=*)
    address=${WANTED#*--bip=}
    ip -o -4 addr show docker0 2>/dev/null | grep -qF " ${address%% *} "
    ;;
  esac
}
