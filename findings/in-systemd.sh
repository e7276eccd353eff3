#!/bin/sh
# in-systemd.sh SCRIPT [SETTING=VALUE...]: runs a script as a service of a systemd of its own, and prints what the script prints.
#
# That systemd is this machine's, with its /usr and nothing else of it, in a container without a network. SETTINGs are those of the
# service, as in systemd.service(5). Needs root and systemd-container. Findings about systemd are looked at with it.
set -eu
script=$(realpath "$1")
shift
folder=$(mktemp -d)
name=${folder##*/}
# A machine without systemd has no cgroup for the container; one with it has.
groups=''
if [ ! -d /run/systemd/system ]; then
  for root in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ ! -d "$root" ] || groups="$groups $root/$name"
  done
fi
leave() {
  for group in $groups; do
    find "$group" -depth -type d -exec rmdir {} +
  done
  rm -rf "$folder"
}
trap leave EXIT
mkdir "$folder/units" "$folder/in"
# shellcheck disable=SC2086 # paths without spaces
[ -z "$groups" ] || mkdir $groups
cp "$script" "$folder/in/script"
chmod 755 "$folder/in/script"
: >"$folder/in/said"
{
  printf '%s\n' '[Unit]' 'DefaultDependencies=no' 'SuccessAction=exit' 'FailureAction=exit' \
    '[Service]' 'Type=oneshot' 'ExecStart=/in/script' 'StandardOutput=append:/in/said' 'StandardError=append:/in/said'
  printf '%s\n' "$@"
} >"$folder/units/script.service"
# shellcheck disable=SC2086 # as above
if ! SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 sh -c '
  folder=$1
  shift
  for group; do
    echo $$ >"$group/cgroup.procs"
  done
  exec timeout -k 5 60 systemd-nspawn --quiet --register=no --keep-unit --private-network --volatile=yes --directory=/ \
    --bind="$folder/units:/etc/systemd/system" --bind="$folder/in:/in" --console=pipe --boot systemd.unit=script.service
' sh "$folder" $groups </dev/null >"$folder/console" 2>&1; then
  cat "$folder/in/said" "$folder/console" >&2
  exit 1
fi
cat "$folder/in/said"
