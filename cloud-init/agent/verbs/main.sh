# What is called with what.

usage() {
  cat <<EOF
usage: meshboot VERB

  up                      enrol if there is a key, and apply the lease; what is in place is not touched
    --dry-run             print the plan, change nothing
    --restart-docker      running containers may restart with dockerd
    --retry               until it succeeds, with growing pauses (meshboot.service)
  status [--json]         what is leased and what is in place
  doctor [--json]         what is wrong: every link from the Worker to a container, what to do; changes nothing
    --report              tell the Worker what is found instead of showing it
  down                    undo all that up did
    --dry-run             print the plan, change nothing
    --restart-docker      running containers may restart with dockerd
    --release             also give the lease back
    --purge[=zerotier,docker]
                          also remove the agent, its units, settings and keys; the packages of these when they are named
  upgrade                 show which agent the Worker gives out beside the one here; on a terminal, ask whether to take it
    SHA256                take that one
    --back                take the one before
    --dry-run             only try it
    --restart-docker      running containers may restart with dockerd, should that be needed
  compose [SERVICE...]    print what a Compose project needs to be in the mesh
    --old, --new          for Compose 1.x, or later
    --size 28             how large a piece of the lease
    --part 172.28.1.16/28 which one
  hosts                   print the names and addresses of the mesh's servers, with HOSTS=on
    --add-host, --compose as docker run takes them, or a service of a Compose project
  bake --yes [--in-use]   make this server the master of an image
  bake --check            check that it is a clean one
  heartbeat               report to the Worker
  watch                   hear what others take away at run time, and have it put back (meshboot-watch.service runs it)
  controller              ask the Worker what the controller of the mesh is to do, and do it (a unit runs it)
  keep                    put that back once (watch calls it)
  rules                   load the firewall rules of the saved lease (docker.service calls it)
  --help, --version

examples:
  meshboot up --dry-run
  meshboot status --json | jq .routes
  meshboot down --dry-run
  meshboot down --release --purge=zerotier,docker
  meshboot upgrade --dry-run
  systemctl restart meshboot && journalctl -fu meshboot

exit codes:
  0  done (doctor: healthy)
  1  failed but worth a retry (doctor: warnings)
  2  wrong usage
  3  refused (doctor: faults): somebody has to change something
EOF
}

# A verb that leaves no log, and nothing to report.
at_prompt() { # VERB ARGUMENT...
  STEP=$1
  need_root
  TMP=$(mktemp -d)
  trap 'rm -rf "$TMP"' EXIT
  "$@"
}

# Of a process whose /proc/PID/status is on stdin.
ignores_sigpipe() {
  while read -r key value; do
    case $key$value in SigIgn:*[13579bdf]???) return 0 ;; esac
  done
  return 1
}

# systemd starts services with SIGPIPE ignored, unless the unit says otherwise, and then whoever writes to a reader that has seen
# enough says "Broken pipe" in the journal. No shell can take that back for itself.
heed_sigpipe() { # ARGUMENT...
  if [ -r /proc/self/status ] && ignores_sigpipe </proc/self/status &&
    status=$(env --default-signal=PIPE cat /proc/self/status 2>/dev/null) && ! echo "$status" | ignores_sigpipe; then
    exec env --default-signal=PIPE /bin/sh "$0" "$@"
  fi
}

main() {
  heed_sigpipe "$@"
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  export PATH LC_ALL=C
  use_proxy
  umask 022
  if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    RED=$(printf '\033[31m')
    PLAIN=$(printf '\033[0m')
  fi
  STEP=${1:-meshboot}
  case "$*" in
  -h | help | *--help) usage ;;
  up) up ;;
  'up --dry-run')
    DRY='dry run: '
    up
    ;;
  'up --restart-docker' | 'up --dry-run --restart-docker' | 'up --restart-docker --dry-run')
    AGREED=yes
    case $* in *--dry-run*) DRY='dry run: ' ;; esac
    up
    ;;
  'up --retry') retry_up ;;
  status) at_prompt status '' ;;
  'status --json') at_prompt status json ;;
  doctor) at_prompt doctor '' ;;
  'doctor --json') at_prompt doctor json ;;
  'doctor --report') at_prompt doctor report ;;
  down | 'down '*)
    shift
    down "$@"
    ;;
  compose | 'compose '* | hosts | 'hosts '* | bake | 'bake '* | upgrade | 'upgrade '*)
    at_prompt "$@"
    ;;
  heartbeat) send_heartbeat ;;
  keep) keep ;;
  watch) at_prompt watch ;;
  controller) at_prompt controller ;;
  rules) only_rules ;;
  --version) echo "meshboot $VERSION" ;;
  *)
    STEP=usage
    if [ $# = 0 ]; then
      usage >&2
      warn 'a verb is missing, such as status or up'
    else
      warn "$(printable "$*"): there is no such verb, or none with these arguments; see meshboot --help"
    fi
    exit 2
    ;;
  esac
}

[ -n "${MESHBOOT_SOURCE:-}" ] || main "$@"
