import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import type { Journal } from "./journal.ts";
import { inside } from "./network.ts";
import { holds, not, until } from "./until.ts";

/** One server of the lab: a program in a network namespace that can be stopped and started again. */
export class ServerProcess {
  readonly #name: string;
  readonly #namespace: string;
  #arguments: readonly string[];
  readonly #log: string;
  readonly #journal: Journal;
  readonly #answers: (written: string) => Promise<boolean>;
  #child: ChildProcess | undefined;

  /**
   * `args` are given to this Node; `answers` says whether it serves yet, from what it has written so far.
   * Its output goes to `<directory>/<name>.log`.
   */
  constructor(options: {
    name: string;
    namespace: string;
    args: readonly string[];
    directory: string;
    journal: Journal;
    answers: (written: string) => Promise<boolean>;
  }) {
    this.#name = options.name;
    this.#namespace = options.namespace;
    this.#arguments = options.args;
    this.#log = `${options.directory}/${options.name}.log`;
    this.#journal = options.journal;
    this.#answers = options.answers;
  }

  /** Resolves when it serves; rejects with the end of its log when it does not within a minute. */
  async start(): Promise<void> {
    const before = this.#written().length;
    const log = openSync(this.#log, "a");
    const [command, args] = inside(this.#namespace, process.execPath, this.#arguments);
    const child = spawn(command, args, { detached: true, stdio: ["ignore", log, log] });
    if (child.pid === undefined) throw new Error(`${this.#name} did not start`);
    this.#journal.process(child.pid);
    this.#child = child;
    await until(`${this.#name} to serve`, 180, async () => {
      const written = this.#written().slice(before);
      if (child.exitCode === null && (await this.#answers(written))) return holds(undefined);
      return not(
        `${child.exitCode === null ? "running" : `ended with ${child.exitCode}`}, log:\n${written.slice(-2000)}`,
      );
    });
  }

  /** Stops it in the orderly way, as an operator would; rejects when it does not end within 20 s. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) throw new Error(`${this.#name} is not running`);
    child.kill("SIGTERM");
    await until(`${this.#name} to end`, 60, async () =>
      child.exitCode !== null || child.signalCode !== null ? holds(undefined) : not("still running"),
    );
    this.#child = undefined;
  }

  /** From its next start on it is given these arguments. */
  give(args: readonly string[]): void {
    this.#arguments = args;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  #written(): string {
    try {
      return readFileSync(this.#log, "utf8");
    } catch {
      return "";
    }
  }
}
