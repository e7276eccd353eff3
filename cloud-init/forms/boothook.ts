import { AGREE, type Server, serverFiles, startCommands } from "../server-files.ts";
import { installer } from "./installer.ts";

/** That all is put in place: as cloud-init's own marks, gone with the instance. */
const DONE = "var/lib/cloud/instance/sem/meshboot";

/** Where cloud-init is done with the operator's packages and commands; `enable` starts the agent at later boots. */
const LATER = "systemd-run --no-block -p After=cloud-final.service ";

/**
 * A boothook, for user-data that has the operator's own cloud-config as well: cloud-init runs it at each boot before any
 * module. So nothing in that config keeps the files from being written or the agent from being started: neither a list of
 * modules, nor a file that cannot be written, nor a `runcmd` that fails or ends early.
 */
export function boothook(server: Server): string {
  return installer({
    about: ["Meshboot: makes this server a node of a mesh. cloud-init runs it at every boot; it acts once."],
    functions: "",
    before: [`[ ! -e ${DONE} ] || exit 0`],
    files: serverFiles(server),
    after: [AGREE, ...startCommands(server.agent, LATER), `put 0644 ${DONE} </dev/null`],
  });
}
