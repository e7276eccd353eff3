import { shipped } from "../../cloud-init/agent/shipped.ts";
import { bakeScript } from "../../cloud-init/bake-script.ts";
import type { UserDataOptions } from "../../cloud-init/options.ts";
import { readAgent, readTools, readUnits } from "../agent.ts";

/** The script that bakes a server, with the agent of this working copy. */
export function readBakeScript(options: UserDataOptions): string {
  return bakeScript({
    options,
    agent: { meshboot: shipped(readAgent()), units: readUnits() },
    tools: shipped(readTools()),
  });
}
