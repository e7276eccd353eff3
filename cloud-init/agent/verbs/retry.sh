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

# Has doctor look and report, behind a run of `up` and never on its way: its own costs some hundred processes. It is due when the
# run ended in another way than the one before it, something was put right, the last look found a fault, or at every 24th
# run: once a day. The first look after a boot comes with the second run, an hour later.
examine() { # CODE-OF-UP
  read_line "$RUN/failed"
  step=$LINE
  read_line "$RUN/repaired"
  ended="$1 $step $LINE" runs=22 worst=0 before='0  '
  if [ -s "$RUN/examined" ]; then
    {
      read -r runs worst
      IFS= read -r before
    } <"$RUN/examined"
  fi
  runs=$((runs + 1))
  if [ "$ended" != "$before" ] || [ $runs -ge 24 ] || [ "$1$worst" = 03 ]; then
    worst=0 runs=0
    nice -n 19 "$0" doctor --report >/dev/null 2>&1 || worst=$?
  fi
  printf '%s\n' "$runs $worst" "$ended" >"$RUN/examined"
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
      examine 0
      if [ ! -e "$RUN/again" ]; then
        exit 0
      fi
      repeats=$((repeats + 1))
      if [ $repeats -gt 3 ]; then
        sleep 300
      fi
      ;;
    3)
      examine 3
      sleep_about 1800
      ;;
    *)
      # What soon succeeds is not kept waiting.
      [ $delay -lt 40 ] || examine "$rc"
      after=$(read_file "$RUN/after")
      sleep_about "${after:-$delay}"
      delay=$((delay < 150 ? delay * 2 : 300))
      ;;
    esac
  done
}
