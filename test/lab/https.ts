import { join } from "node:path";
import type { Certificate } from "./certificate.ts";
import type { Lab } from "./lab.ts";
import { ServerProcess } from "./server-process.ts";
import { GATEWAY_IPV4, WORKER_PORT } from "./topology.ts";

/** Has the Worker answer by https as well, on that port of the gateway, until the lab is closed. */
export async function serveByHttps(lab: Lab, { cert, key }: Certificate, port: number): Promise<void> {
  const door = new ServerProcess({
    name: "tls",
    namespace: lab.network.internet,
    args: [
      join(import.meta.dirname, "tls-door.ts"),
      ...[cert, key, GATEWAY_IPV4, String(port), String(WORKER_PORT)],
    ],
    directory: lab.directory,
    journal: lab.journal,
    answers: async (written) => written.includes("ready"),
  });
  await door.start();
}
