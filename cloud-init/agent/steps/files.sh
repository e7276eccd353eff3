# Every file that was written.

files_down() {
  drop_files .
  run systemctl daemon-reload
}
