# Every file that was written.

files_down() {
  drop_files .
  systemctl daemon-reload
}
