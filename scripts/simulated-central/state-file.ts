import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { storedNetworks } from "./snapshot.ts";
import { type CentralState, memberSchema, networkSchema } from "./state.ts";

const fileSchema = z.object({
  version: z.literal(1),
  networks: z.array(networkSchema.extend({ members: z.array(memberSchema) })),
});

/** The state of a file; empty when there is no such file. Throws, with the remedy, when it cannot be read. */
export function readState(file: string): CentralState {
  const text = readIfPresent(file);
  if (text === undefined) return { networks: new Map() };
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new Error(
      `${file} does not hold the state of a simulated Central. Give another --state-file, or delete it to start afresh.`,
    );
  }
  const networks = parsed.data.networks.map(({ members, ...network }) => ({
    ...network,
    members: new Map(members.map((member) => [member.node, member])),
  }));
  return { networks: new Map(networks.map((network) => [network.id, network])) };
}

/** How long a change may wait for its way to the file: many at once are written once. */
const SAVE_AFTER_MS = 200;

/** Keeps a file up to date with the state, from now on: `later` soon, `last` at once and never again. */
export function keepState(file: string, state: CentralState): { later(): void; last(): void } {
  let waiting: NodeJS.Timeout | undefined;
  let ended = false;
  writeState(file, state);
  return {
    later() {
      if (ended) return;
      waiting ??= setTimeout(() => {
        waiting = undefined;
        writeState(file, state);
      }, SAVE_AFTER_MS);
    },
    last() {
      ended = true;
      clearTimeout(waiting);
      writeState(file, state);
    },
  };
}

/** Writes the state, whole or not at all. */
function writeState(file: string, state: CentralState): void {
  const part = `${file}.part`;
  writeFileSync(part, `${JSON.stringify({ version: 1, networks: storedNetworks(state) }, null, 2)}\n`, {
    mode: 0o600,
  });
  renameSync(part, file);
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
