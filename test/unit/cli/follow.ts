import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { CommandLine } from "./command-line.ts";

/** A command that goes on. */
export interface Followed {
  readonly child: ChildProcess;
  /** Resolves when it has printed so. */
  printed(text: string): Promise<void>;
  /** All that it has printed so far, notes too. */
  out(): string;
  /** Its exit code, once it has ended. */
  ended(): Promise<number | null>;
}

/** Starts one. */
export function follow(line: CommandLine, words: readonly string[]): Followed {
  const child = spawn(process.execPath, [join(line.directory, "bundle/meshboot.mjs"), ...words], {
    env: line.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      out += chunk;
      for (const look of watchers) look();
    });
  const closed = once(child, "close");
  return {
    child,
    out: () => out,
    printed: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!out.includes(text)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    ended: async () => {
      await closed;
      return child.exitCode;
    },
  };
}
