import { isIP } from "node:net";
import { NAME_PATTERN } from "../../cloud-init/name-pattern.ts";

/** What every machine has a meaning of its own for; the agent leaves them out of /etc/hosts too. */
const OWN = ["localhost", "broadcasthost", "metadata", "instance-data", "wpad"];

/**
 * Why that name and address do not go into a file that ssh or the resolver reads by lines; undefined when they do. A Worker that
 * was taken over, or is none, could have such a file run commands here.
 */
export function unfitForFile(name: string, address: string): string | undefined {
  if (OWN.includes(name) || name.startsWith("ip6-")) return "it means something else on every machine";
  return NAME_PATTERN.test(name) && isIP(address) !== 0 ? undefined : "that is no name and address";
}
