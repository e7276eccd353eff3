#!/bin/sh
# meshboot: makes this server a node of a Meshboot mesh (ZeroTier, routes, rules, dockerd) and keeps it one.
#
# Usage, exit codes: meshboot --help, or usage() below.
# Settings: /etc/meshboot/meshboot.conf. Enrolment key: /etc/meshboot/key. State: /var/lib/meshboot. Log: /run/meshboot/log.
# Environment: MESHBOOT_ROOT, a directory to work under instead of / (tests); MESHBOOT_ETC, where up --dry-run finds settings and key
# of a server that has none yet; NO_COLOR.
#
# What comes from outside (settings, the Worker, zerotier-cli) is matched against patterns and never evaluated.
#
# Made of the files of cloud-init/agent, which program.ts joins: base/, shared by all; steps/, a file or folder for each thing
# that is put in place; verbs/, the commands.
set -euf

VERSION=0.1.0
R=${MESHBOOT_ROOT:-}
ETC=$R/etc/meshboot
GIVEN=${MESHBOOT_ETC:-$ETC}
STATE=$R/var/lib/meshboot
RUN=$R/run/meshboot
ZT=$R/var/lib/zerotier-one
PROGRAM=$R/usr/local/sbin/meshboot
SYSCTL=/etc/sysctl.d/90-meshboot.conf
UNITS=/etc/systemd/system
GENERATORS=/etc/systemd/system-generators
CONF=/etc/meshboot/meshboot.conf
POLICIES=/etc/firewalld/policies
DIRECT=/etc/firewalld/direct.xml
ROUTE_METRIC=5100
GUARD_METRIC=5101
NL='
'
# More routes than that make every look at them slow: a pool with more slots is refused.
MOST_SLOTS=16384

# What the run is about: the step for messages, the log, whether it is a dry run, colours.
STEP=meshboot
LOG=/dev/null
DRY=''
RED=''
PLAIN=''
# What is known of the node: see use_lease.
DEV=''
NODE=''
SUBNET4=0.0.0.0/32
SLOTS=0
UNDO=''
UPLINKS=''
CARDS=''
# What apt-get update said in this run: `fresh`, or its complaint.
LISTS=''
HTTP=000
# Who answered instead of the Worker.
FOREIGN=''
URL=''
# Empty where the settings are not sound.
LAYOUT=''
IPV6=on
MTU=1500
# Set when the node was complete before this run: what it changes then is a repair.
REPAIRS=''
# Set when no step has anything to do.
UNCHANGED=''
json=''
AGREED=''
# Set when the Worker has a lease for this server and somebody has to approve it: said last, when all else is done.
PENDING=''
# Set while the first boot is not told to its end; SHA-256 of this machine's id.
BOOTING=''
MACHINE=''
# What `down` removes the packages of, `zerotier` or `docker`, with commas.
PURGE=''
# Set while an image is made: there is no Worker yet.
BAKING=''
