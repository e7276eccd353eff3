# What doctor found, for the Worker: see `doctor --report`.

# Of the records on stdin what is not well, the worst first, and no more of it than the Worker takes.
worst_first() {
  awk 'BEGIN { RS = ORS = "\036"; FS = OFS = "\037"; split("fault warning note", level, " ") }
    {
      for (i = 3; i <= 5; i++) if (length($i) > 300) $i = substr($i, 1, 297) "..."
      found[$2, ++count[$2]] = $0
    }
    END {
      for (i = 1; i <= 3; i++) for (j = 1; j <= count[level[i]]; j++) {
        bytes += length(found[level[i], j])
        if (bytes > 8000 || ++reported > 32) exit
        print found[level[i], j]
      }
    }'
}

report_findings() {
  if [ ! -s "$STATE/token" ] || [ -z "$NODE" ]; then
    refuse 'there is no lease with its token: meshboot up, with a key in /etc/meshboot/key'
  fi
  # A setting that is wrong is worth a report.
  take_saved_url
  FINDINGS=[$(worst_first <"$TMP/findings" | findings_as_json)]
  make_run
  STEP=doctor
  heartbeat_of_last_up
  [ "$HTTP" = 200 ] || fail "$(the_problem)"
  say "reported to $URL: faults $FAULTS, warnings $WARNINGS"
}
