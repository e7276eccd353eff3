#!/bin/sh
# meshboot: makes this server a node of a Meshboot mesh (ZeroTier, routes, rules, dockerd) and keeps it one.
#
#   meshboot up [--dry-run]     enrol and apply; --retry (the service's): until it succeeds, with growing pauses
#   meshboot status [--json]    what is leased and what is in place
#   meshboot down [--release]   undo all that up did; --release also gives the lease back
#   meshboot heartbeat          report to the Worker
#   meshboot rules              load the firewall rules of the saved lease (docker.service calls it)
#
# Exit codes: 0 done, 1 failed but worth a retry, 2 wrong usage, 3 refused: somebody has to change something.
# Environment: MESHBOOT_ROOT, a directory to work under instead of / (tests).
# Settings: /etc/meshboot/meshboot.conf, enrolment key: /etc/meshboot/key, state: /var/lib/meshboot, log: /run/meshboot/log.
#
# What comes from outside (settings, the Worker, zerotier-cli) is matched against patterns and never evaluated.
#
# Every byte counts: this file travels inside user-data, and shipped.ts takes its comment lines and indentation away. So no
# here-document may need either.
set -euf

VERSION=0.1.0
R=${MESHBOOT_ROOT:-}
ETC=$R/etc/meshboot
STATE=$R/var/lib/meshboot
RUN=$R/run/meshboot
ZT=$R/var/lib/zerotier-one
UNITS=$R/etc/systemd/system
SYSCTL=$R/etc/sysctl.d/90-meshboot.conf
STEP=meshboot LOG=/dev/null DRY='' DEV='' NODE='' HTTP=000 UNDO='' SUBNET4=0.0.0.0/32 SLOTS=0

# --- saying, failing, running ---

say() { printf 'meshboot: %s: %s\n' "$STEP" "$1" | tee -a "$LOG"; }
warn() { say "$1" >&2; }
fail() {
  warn "failed: $1"
  exit 1
}
refuse() {
  warn "refused: $1"
  exit 3
}
dry() { [ -n "$DRY" ]; }
run() { if dry; then say "would run: $*"; else "$@"; fi; }
has() { command -v "$1" >/dev/null 2>&1; }
leased() { [ -s "$STATE/lease" ]; }
content() { cat "$1" 2>/dev/null || :; }
truth() { if "$@"; then echo true; else echo false; fi; }

# --- files: whole or not at all, only when they change; the first writing keeps what was there for `down` ---

listed() { grep -qsxF "$1" "$STATE/files"; }
kept() { echo "$STATE/kept$1" | tr / %; }

put_file() { # PATH MODE, content on stdin
  text=$(cat && echo .)
  text=${text%.}
  if [ -f "$1" ] && printf %s "$text" | cmp -s - "$1"; then return 0; fi
  path=${1#"$R"}
  run say "writes $path"
  dry && return 0
  mkdir -p "${1%/*}" "$STATE/kept"
  if [ "${1#"$STATE"}" = "$1" ] && ! listed "$path"; then
    if [ -e "$1" ]; then cp -p "$1" "$STATE/kept/$(echo "$path" | tr / %)"; fi
    echo "$path" >>"$STATE/files"
  fi
  (umask 077 && printf %s "$text" >"$1.meshboot-tmp")
  chmod "$2" "$1.meshboot-tmp"
  mv -f "$1.meshboot-tmp" "$1"
}

drop_file() { # PATH without the root: what it was before us
  listed "$1" || return 0
  old=$STATE/kept/$(echo "$1" | tr / %)
  rm -f "$R$1" "$R$1.meshboot-tmp"
  if [ -e "$old" ]; then mv -f "$old" "$R$1"; fi
  case $1 in *.service.d/*) rmdir "$R${1%/*}" 2>/dev/null || : ;; esac
}
