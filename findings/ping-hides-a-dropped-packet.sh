#!/bin/sh
# iputils-ping 20221126 (Debian 12), util-linux 2.38: a packet that a firewall's OUTPUT drops.
#
# The kernel tells whoever sends it at once: sendto() gives EPERM. ping of iputils keeps that to itself and waits, as for a
# host that does not answer. `logger -d -n ADDRESS -P 9` sends one datagram and prints the error.
#
# Needs root, iproute2, iptables, iputils-ping, bsdutils; all in a network namespace of its own. Prints what it sees, and ends
# with 1 when that is not the following:
#   ping tells nothing
#   logger: send message failed: Operation not permitted
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unshare --net sh -eu >"$folder/seen" 2>&1 <<'SH'
ip link add one type veth peer name other
ip link set one up
ip link set other up
ip addr add 10.1.1.1/24 dev one
iptables -A OUTPUT -d 10.0.0.0/8 -j DROP
if ! ping -n -c 1 -w 1 10.1.1.2 2>&1 | grep 'not permitted'; then
  echo 'ping tells nothing'
fi
logger -d -n 10.1.1.2 -P 9 a-test
SH
cat "$folder/seen"
sed -n 's/^#   //p' "$here/${0##*/}" >"$folder/expected"
cmp -s "$folder/seen" "$folder/expected"
