/** `node scripts/agent.ts`: prints the agent as one program, with its comments. */
import { readFileSync } from "node:fs";
import { joinAgent } from "../cloud-init/agent/program.ts";

const PARTS = new URL("../cloud-init/agent/parts/", import.meta.url);

/** The agent as one program, read from its parts on disk. */
export function readAgent(): string {
  return joinAgent((name) => readFileSync(new URL(`${name}.sh`, PARTS), "utf8"));
}

if (import.meta.main) process.stdout.write(readAgent());
