import { join } from "node:path";
import type { Lab } from "./lab.ts";
import { inside } from "./network.ts";
import type { Servers } from "./servers.ts";

const SCRIPT = join(import.meta.dirname, "..", "..", "scripts/image.ts");

/** `npm run image` with these words, on the lab's internet and with its packages, as a command line. */
export function imageCommand(
  lab: Lab,
  { repository }: Servers,
  words: readonly string[],
): [string, string[]] {
  return inside(lab.network.internet, process.execPath, [
    ...[SCRIPT, ...words],
    ...["--zerotier-repository", repository.url],
    ...["--zerotier-fingerprint", repository.fingerprint],
  ]);
}
