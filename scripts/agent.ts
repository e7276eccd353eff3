/** `node scripts/agent.ts [tools]`: prints the agent as one program, with its comments; or its tools, as they are served. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { joinAgent, joinTools } from "../cloud-init/agent/program.ts";
import { shipped } from "../cloud-init/agent/shipped.ts";

const FOLDER = new URL("../cloud-init/agent/", import.meta.url);

/** The agent as one program, read from its parts on disk. */
export function readAgent(): string {
  const digest = createHash("sha256").update(shipped(readTools())).digest("hex");
  return joinAgent((name) => readFileSync(new URL(`parts/${name}.sh`, FOLDER), "utf8"), digest);
}

/** The agent's tools, read from their parts on disk. */
export function readTools(): string {
  return joinTools((name) => readFileSync(new URL(`tools/${name}.sh`, FOLDER), "utf8"));
}

/** The agent's systemd units, by file name. */
export function readUnits(): Record<string, string> {
  const names = readdirSync(FOLDER).filter((name) => /\.(?:service|timer)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, FOLDER), "utf8")]));
}

if (import.meta.main) process.stdout.write(process.argv[2] === "tools" ? shipped(readTools()) : readAgent());
