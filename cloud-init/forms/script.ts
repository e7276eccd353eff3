import { packed } from "../packed.ts";
import { type Server, type ServerFile, serverFiles, startCommands } from "../server-files.ts";
import { UserDataError } from "../user-data-error.ts";

const END = "END_OF_FILE";

/** The whole program is functions, and the last line calls them: half a download does nothing. */
const HEAD = `#!/bin/sh
# Meshboot: makes this server a node of a mesh. Run as root; running it again is safe.
# --restart-docker: containers that run already may restart with dockerd. Without it, the agent asks for that first.
set -eu

# Standard input becomes the file, whole or not at all.
put() (
  umask 077
  cat >"$2.new"
  chmod "$1" "$2.new"
  mv -f "$2.new" "$2"
)

# The same for a file that comes compressed and in base64.
unpack() (
  umask 077
  base64 -d >"$2.gz"
  gzip -dc "$2.gz" >"$2.new"
  rm -f "$2.gz"
  chmod "$1" "$2.new"
  mv -f "$2.new" "$2"
)

check() {
  if [ "$(id -u)" -ne 0 ]; then
    echo 'meshboot: this must run as root; run it by sudo sh' >&2
    exit 1
  fi
  for tool in base64 gzip systemctl; do
    if ! command -v "$tool" >/dev/null; then
      echo "meshboot: $tool is missing; Meshboot needs a Linux system with systemd" >&2
      exit 1
    fi
  done
}

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
  const files = serverFiles(server);
  const directories = [...new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf("/"))))];
  return [
    HEAD,
    "main() {",
    "  check",
    '  agree "$@"',
    `  mkdir -p ${directories.join(" ")}`,
    ...files.map(writeFile),
    ...startCommands(server.agent).map((command) => `  ${command}`),
    "  echo 'meshboot: installed, and starting; follow it with: journalctl -fu meshboot'",
    "}",
    "",
    'main "$@"',
    "",
  ].join("\n");
}

/** A here-document with a quoted delimiter: nothing in it is expanded. */
function writeFile({ path, mode, content, packed: isPacked }: ServerFile): string {
  const body = isPacked ? packed(content) : content;
  if (!body.endsWith("\n") || body.split("\n").includes(END)) {
    throw new UserDataError("agent", `${path} must end in a line feed and hold no line ${END}`);
  }
  return `  ${isPacked ? "unpack" : "put"} ${mode} ${path} <<'${END}'\n${body}${END}`;
}
