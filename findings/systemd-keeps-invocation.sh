#!/bin/sh
# systemd 252 (Debian 12): InvocationID of a unit whose start did not come to its own commands.
#
# `systemctl show -p InvocationID` names the last run that began, not the last start that was asked for. Where a unit that it requires
# fails, a condition does not hold, or it was started too often, the id stays what it was: whoever reads the journal by it
# (`journalctl _SYSTEMD_INVOCATION_ID=…`) to say why the start failed quotes the run before, the last words of its stop included. And
# with a condition that does not hold `systemctl start` ends with 0. When ExecStartPre fails, the id is new.
#
# Needs root and systemd-container. Prints what it sees, and ends with 1 when that is not the following:
#   started: 0, another id
#   ExecStartPre fails: 1, another id
#   started too often: 1, the id of before
#   a required unit fails: 1, the id of before
#   a condition does not hold: 0, the id of before
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look" <<'SH'
#!/bin/sh
set -eu
units=/run/systemd/system
mkdir -p "$units"
printf '%s\n' '[Unit]' 'DefaultDependencies=no' '[Service]' 'ExecStart=false' 'Type=oneshot' >"$units/needed.service"
before=none
unit() { # LINE...
  printf '%s\n' '[Unit]' 'DefaultDependencies=no' '[Service]' 'ExecStart=sleep infinity' "$@" >"$units/it.service"
  systemctl daemon-reload
}
start() { # CASE
  code=0
  systemctl start it.service 2>/dev/null || code=$?
  id=$(systemctl show -P InvocationID it.service)
  if [ "$id" = "$before" ]; then
    echo "$1: $code, the id of before"
  else
    echo "$1: $code, another id"
  fi
  before=$id
  systemctl stop it.service
}
unit
start started
unit ExecStartPre=false '[Unit]' StartLimitBurst=1 StartLimitIntervalSec=1h
start 'ExecStartPre fails'
start 'started too often'
unit '[Unit]' Requires=needed.service After=needed.service
start 'a required unit fails'
unit '[Unit]' ConditionPathExists=/nowhere
start 'a condition does not hold'
SH
"$here/in-systemd.sh" "$folder/look" >"$folder/seen"
cat "$folder/seen"
sed -n 's/^#   //p' "$here/${0##*/}" >"$folder/expected"
cmp -s "$folder/seen" "$folder/expected"
