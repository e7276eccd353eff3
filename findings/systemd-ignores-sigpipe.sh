#!/bin/sh
# systemd 252, dash 0.5.12, bash 5.2, coreutils 9.1 (Debian 12): a service's script whose pipeline has read enough.
#
# systemd starts services with SIGPIPE ignored, and whatever they start inherits that: who writes to a reader that has gone is not
# ended by the signal, but told EPIPE, prints "Broken pipe" into the journal and ends with 1. The script cannot take it back: a shell
# that was started with a signal ignored keeps ignoring it, and `trap` says nothing and changes nothing, be it `-` or a command.
# A new process can: `env --default-signal=PIPE` (coreutils 8.31) before the shell; or IgnoreSIGPIPE=no in the unit.
#
# Needs root and systemd-container. Prints what it sees, and ends with 1 when that is not the following:
#   dash: yes ended with 1: Broken pipe
#   dash, trap - PIPE: yes ended with 1: Broken pipe
#   dash, trap 'echo trapped' PIPE: yes ended with 1: Broken pipe
#   bash, trap - PIPE: yes ended with 1: Broken pipe
#   env --default-signal=PIPE dash: yes ended with 141
#   dash, IgnoreSIGPIPE=no: yes ended with 141
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look" <<'SH'
#!/bin/sh
# shellcheck disable=SC2016 # for another shell
pipeline='{ yes; echo "yes ended with $?" >&3; } 2>&4 | head -n 1'
look() { # CASE COMMAND...
  case=$1
  shift
  "$@" 3>/run/ended 4>/run/told >/dev/null
  echo "$case: $(cat /run/ended)$(sed 's/.*:/:/' /run/told)"
}
case ${1-} in
'')
  look dash dash -c "$pipeline"
  look 'dash, trap - PIPE' dash -c "trap - PIPE; $pipeline"
  look "dash, trap 'echo trapped' PIPE" dash -c "trap 'echo trapped >&3' PIPE; $pipeline"
  look 'bash, trap - PIPE' bash -c "trap - PIPE; $pipeline"
  look 'env --default-signal=PIPE dash' env --default-signal=PIPE dash -c "$pipeline"
  ;;
*) look 'dash, IgnoreSIGPIPE=no' dash -c "$pipeline" ;;
esac
SH
{
  "$here/in-systemd.sh" "$folder/look"
  "$here/in-systemd.sh" "$folder/look" 'ExecStart=' 'ExecStart=/in/script again' IgnoreSIGPIPE=no
} >"$folder/seen"
cat "$folder/seen"
sed -n 's/^#   //p' "$here/${0##*/}" >"$folder/expected"
cmp -s "$folder/seen" "$folder/expected"
