/**
 * `npm run agent`: prints the agent of this working copy, the text that servers run; with `--sha256` its SHA-256,
 * which user-data names.
 */
import { parseArgs } from "node:util";
import type { Agent } from "../cloud-init/agent/program.ts";
import { importTextFiles } from "./text-modules.ts";

importTextFiles();

/** The agent of this working copy. */
export const AGENT: Agent = (await import("../cloud-init/agent/program.ts")).AGENT;

const HELP = `Prints the agent of this working copy, the text that servers run.

Usage: npm run agent -- [--sha256]

  --sha256   its SHA-256 instead, as user-data and \`GET /agent\` name it
  --help     this text

Example: does the Worker give out what is here?
  curl -s https://mesh.example.com/agent
  npm run agent -- --sha256
`;

function main(): void {
  try {
    const { values } = parseArgs({
      options: { sha256: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
    });
    process.stdout.write(values.help ? HELP : values.sha256 ? `${AGENT.sha256}\n` : AGENT.program);
  } catch (error) {
    const [reason] = error instanceof Error ? error.message.split("\n") : [];
    console.error(`agent: ${reason}. See npm run agent -- --help`);
    process.exit(2);
  }
}

if (import.meta.main) {
  // A reader that has seen enough, such as head, is no fault.
  process.stdout.on("error", () => process.exit(0));
  main();
}
