import type { Worker } from "./call/worker.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** What a command has to work with. */
export interface Session {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** ms since 1970. */
  now(): number;
  /** The deployment that is meant, as a Worker to call until the signal, Ctrl-C when left out. Throws when there is none. */
  worker(signal?: AbortSignal): Worker;
}
