import { bakeScript } from "../../cloud-init/bake-script.ts";
import type { UserDataOptions } from "../../cloud-init/options.ts";
import { AGENT } from "../agent.ts";

/** The script that bakes a server, also one on which programs listen if `isInUse`, with the agent of this working copy. */
export function readBakeScript(options: UserDataOptions, isInUse = false): string {
  return bakeScript({ options, isInUse, agent: AGENT });
}
