# The verb up --retry.

# Sleeps that many seconds, and up to as many again: servers ordered together shall not come back together. Ends when
# zerotier-one has restarted, which makes the interface anew.
sleep_about() { # SECONDS
  left=$(($1 + $(od -An -N2 -tu2 /dev/urandom) % ($1 + 1)))
  while [ $left -gt 0 ] && [ ! -e "$RUN/again" ]; do
    sleep 5
    left=$((left - 5))
  done
}

# For the service. Each attempt is a process of its own; $RUN/again asks for one more, a few times at once and then slowly:
# whatever asks without end must not restart dockerd without end.
retry_up() {
  make_run
  delay=5
  repeats=0
  while rm -f "$RUN/again" "$RUN/after"; do
    rc=0
    "$0" up || rc=$?
    case $rc in
    0)
      if [ ! -e "$RUN/again" ]; then
        exit 0
      fi
      repeats=$((repeats + 1))
      if [ $repeats -gt 3 ]; then
        sleep 300
      fi
      ;;
    3) sleep_about 1800 ;;
    *)
      after=$(read_file "$RUN/after")
      sleep_about "${after:-$delay}"
      delay=$((delay < 150 ? delay * 2 : 300))
      ;;
    esac
  done
}
