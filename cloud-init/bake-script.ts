import type { Agent } from "./agent/program.ts";
import { installer } from "./forms/installer.ts";
import type { UserDataOptions } from "./options.ts";
import { chosenLines, doorFiles } from "./server-files.ts";

/** Before anything is written over: the agent itself looks at more than this. */
const CHECK = `
check_server() {
  if [ -s /var/lib/meshboot/lease ] || [ -s /etc/meshboot/key ]; then
    stop 3 'refused: this server is a node, or about to be one, and would lose its settings and identity: take another server'
  fi
  if grep -qs '^URL=' /etc/meshboot/meshboot.conf; then
    stop 3 'refused: /etc/meshboot/meshboot.conf is that of one server (URL): remove it, or take another server'
  fi
}
`;

/** What an image is made with. */
export interface Baking {
  readonly options: UserDataOptions;
  /** Whether a server on which programs listen may be baked. */
  readonly isInUse: boolean;
  readonly agent: Agent;
}

/** The script that makes a server the master of an image: the agent is brought along whole, and does the rest. */
export function bakeScript({ options, isInUse, agent }: Baking): string {
  return installer({
    about: [
      "Meshboot: makes this server the master of an image. Run as root on a server that is for nothing else:",
      "it wipes identities, SSH host keys, logs and Docker's data. Running it again ends in the same.",
    ],
    functions: CHECK,
    before: ["check_server", "(umask 077 && mkdir -p /var/lib/meshboot)"],
    files: [
      // Without a line it would be no file, and the agent wants one.
      {
        path: "/etc/meshboot/meshboot.conf",
        mode: "0600",
        content: `# As baked. User-data adds to it, and the last line of a name wins.\n${chosenLines(options)}`,
      },
      ...doorFiles(agent),
      { path: "/usr/local/sbin/meshboot", mode: "0755", content: agent.program },
    ],
    // Which enables the units, once it has seen that this server is for nothing else.
    after: ["systemctl daemon-reload", `/usr/local/sbin/meshboot bake --yes${isInUse ? " --in-use" : ""}`],
  });
}
