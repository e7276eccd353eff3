import { z } from "zod";
import type { Worker } from "../call/worker.ts";
import type { Finding } from "./finding.ts";

const documentSchema = z.object({ info: z.object({ version: z.string() }) });

/** Whether Worker and command line are of one version. */
export async function examineVersion(worker: Worker, version: string): Promise<Finding> {
  const { value } = await worker.ask("GET", "/openapi.json", documentSchema);
  const { version: theirs } = value.info;
  const thing = "versions";
  if (theirs === version) return { level: "ok", thing, saw: `Worker and command line are ${version}` };
  const isNewer = theirs.localeCompare(version, "en", { numeric: true }) > 0;
  return {
    level: "warn",
    thing,
    saw: `the Worker is ${theirs}, this command line ${version}`,
    remedy: isNewer
      ? `Take the command line of the Worker's version: git pull in your clone, then npm ci.`
      : "Deploy the Worker of this version: npm run deploy, see docs/deploy.md.",
  };
}
