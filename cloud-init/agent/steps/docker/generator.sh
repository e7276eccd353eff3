# What adds the options to docker.service's own command.

# A drop-in would have to repeat the command, and would outlive the package that it came from. This makes the drop-in anew at each
# boot and daemon-reload, which every package does that brings another unit. It needs nothing of the agent's.
write_docker_generator() {
  put_file $GENERATORS/meshboot-docker 755 <<'EOF'
#!/bin/sh
# Written by meshboot: docker.service starts dockerd by the command that it has, with the mesh's options behind it.
set -eu
LC_ALL=C
export LC_ALL
root=${MESHBOOT_ROOT:-}

# Where systemd looks for units. Of one name the first counts.
paths='/etc/systemd/system.control /run/systemd/system.control /run/systemd/transient /run/systemd/generator.early /etc/systemd/system
/etc/systemd/system.attached /run/systemd/system /run/systemd/system.attached /run/systemd/generator /usr/local/lib/systemd/system
/usr/lib/systemd/system /lib/systemd/system /run/systemd/generator.late'

unit=''
for path in $paths; do
  if [ -z "$unit" ] && [ -e "$root$path/docker.service" ]; then
    unit=$root$path/docker.service
  fi
done
[ -n "$unit" ] || exit 0

# `name/path`, in systemd's order: by name, whichever folder it is in.
drop_ins=$(
  for path in $paths; do
    for file in "$root$path/docker.service.d"/*.conf; do
      case $file in
      *-meshboot.conf) ;;
      *) [ ! -f "$file" ] && [ ! -c "$file" ] || printf '%s\n' "${file##*/}/$file" ;;
      esac
    done
  done | awk -F / '!seen[$1]++' | sort -t / -k 1,1
)

# The last ExecStart wins. Where a file ends, so does its section.
command=$(
  { echo "/$unit" && printf '%s\n' "$drop_ins"; } | while IFS= read -r file; do
    cat "${file#*/}" 2>/dev/null || :
    printf '\n\n[]\n'
  done | awk '
    /^[ \t]*[#;]/ { next }
    { line = more ? line " " $0 : $0; more = sub(/[ \t]*\\$/, "", line) }
    more { next }
    line ~ /^[ \t]*\[/ { section = line }
    section ~ /\[Service\]/ && line ~ /^[ \t]*ExecStart[ \t]*=/ { sub(/^[^=]*=[ \t]*/, "", line); sub(/[ \t]+$/, "", line); command = line }
    END { print command }'
)

# A colon before the path: systemd puts no variable in.
case ${command%%/*} in *:*) exit 0 ;; esac
case $command in
'') exit 0 ;;
*MESHBOOT_OPTIONS*) ;;
*) command="$command \$MESHBOOT_OPTIONS" ;;
esac

# Behind all others, none of which can take back what it says.
name=$(printf '%s\n' "$drop_ins" | awk -F / '{ last = $1 } END { print last < "50-meshboot.conf" ? "50-meshboot.conf" : last "-meshboot.conf" }')
mkdir -p "$1/docker.service.d"
cat >"$1/docker.service.d/$name.tmp" <<END
[Service]
EnvironmentFile=-/etc/meshboot/dockerd.env
ExecStartPre=-/usr/local/sbin/meshboot rules
ExecStart=
ExecStart=$command
END
mv "$1/docker.service.d/$name.tmp" "$1/docker.service.d/$name"
EOF
}

generated_drop_in() {
  find "$R/run/systemd/generator/docker.service.d" -name '*-meshboot.conf' 2>/dev/null | head -n 1
}

# A copy of the command, as agents before this one wrote it, goes when systemd has what takes its place.
write_docker_unit() {
  write_docker_generator
  reload_written
  if dry; then
    return 0
  fi
  case $DOCKER_ENABLED$(generated_drop_in) in
  masked* | */*) ;;
  *) refuse "systemd does not run $GENERATORS/meshboot-docker, so dockerd would not get its options: is /etc mounted noexec?" ;;
  esac
  for old in 50-meshboot.conf zz-50-meshboot.conf; do
    if [ -e "$R$UNITS/docker.service.d/$old" ]; then
      say "removes $UNITS/docker.service.d/$old"
      touch "$RUN/reload"
      rm -f "$R$UNITS/docker.service.d/$old"
      rmdir "$R$UNITS/docker.service.d" 2>/dev/null || :
    fi
  done
  reload_written
}
