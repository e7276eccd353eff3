import { type Server, serverFiles, startCommands } from "../server-files.ts";
import { installer } from "./installer.ts";

const ARGUMENTS = `
tmp=
take() {
  case \${1:-} in
  '') ;;
  --restart-docker)
    install -Dm644 /proc/uptime run/meshboot/restart-docker
    ;;
  --dry-run)
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT HUP INT TERM
    cd "$tmp"
    ;;
  *) stop 2 "unknown argument $1; --dry-run and --restart-docker are known" ;;
  esac
}

plan() {
  MESHBOOT_ROOT=$tmp sh usr/local/sbin/meshboot-fetch
  MESHBOOT_ETC=$tmp/etc/meshboot sh usr/local/sbin/meshboot up --dry-run
  exit
}
`;

/** A POSIX shell script, for servers without cloud-init and for servers that already run. */
export function script(server: Server): string {
  return installer({
    about: [
      "Meshboot: makes this server a node of a mesh. Run as root; running it again is safe.",
      "--restart-docker: running containers may restart with dockerd, once.",
      "--dry-run: prints the plan, changes nothing.",
    ],
    functions: ARGUMENTS,
    before: ['take "$@"'],
    files: serverFiles(server),
    after: [
      '[ -z "$tmp" ] || plan',
      ...startCommands(server.agent),
      "echo 'meshboot: installed, and starting; follow it with: journalctl -fu meshboot'",
    ],
  });
}
