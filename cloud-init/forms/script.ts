import { type Server, serverFiles, startCommands } from "../server-files.ts";
import { installer } from "./installer.ts";

const AGREE = `
# For once: the agent takes it away when dockerd has its options.
agree() {
  case \${1:-} in
  '') ;;
  --restart-docker)
    mkdir -p /run/meshboot
    : >/run/meshboot/restart-docker
    ;;
  *)
    echo "meshboot: unknown argument $1; --restart-docker is the only one" >&2
    exit 2
    ;;
  esac
}
`;

/** A POSIX shell script, for servers without cloud-init and for servers that already run. */
export function script(server: Server): string {
  return installer({
    about: [
      "Meshboot: makes this server a node of a mesh. Run as root; running it again is safe.",
      "--restart-docker: containers that run already may restart with dockerd. Without it, the agent asks for that first.",
    ],
    functions: AGREE,
    before: ['agree "$@"'],
    files: serverFiles(server),
    after: [
      ...startCommands(server.agent),
      "echo 'meshboot: installed, and starting; follow it with: journalctl -fu meshboot'",
    ],
  });
}
