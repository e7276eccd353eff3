# docker.service's files.

# docker.service's files as arguments, in systemd's order: `file command` of the ExecStart that wins.
exec_start() { # FILE...
  awk '
    FNR == 1 { section = ""; more = 0 }
    more && /^[ \t]*[#;]/ { next }
    { line = more ? line " " $0 : $0; more = sub(/[ \t]*\\$/, "", line) }
    more { next }
    line ~ /^[ \t]*\[/ { section = line }
    section ~ /\[Service\]/ && line ~ /^[ \t]*ExecStart[ \t]*=/ { sub(/^[^=]*=/, "", line); $0 = line; $1 = $1; command = $0; file = FILENAME }
    END { print file, command }' "$@"
}

# docker.service's files but for ours, in systemd's order.
docker_unit_files() {
  for file in $DOCKER_FRAGMENT $DOCKER_DROPINS; do
    case $file in
    *-meshboot.conf) ;;
    *) echo "$R$file" ;;
    esac
  done
}
