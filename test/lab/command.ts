import { execFile } from "node:child_process";
import { constants } from "node:os";

/** What a command gave: its exit code (128 + n when a signal ended it), and what it wrote. */
export interface Done {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const LARGEST_OUTPUT = 64 * 1024 * 1024;

/** What else a command gets; `started` is told its process id. */
export interface RunOptions {
  readonly timeoutMs?: number;
  readonly input?: string;
  readonly started?: (pid: number) => void;
}

/** Runs a command to its end, whatever its exit code. It is killed after `timeoutMs`, which rejects. */
export function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<Done> {
  const { timeoutMs = 120_000, input, started } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: LARGEST_OUTPUT },
      (fault, stdout, stderr) => {
        if (!fault) return resolve({ code: 0, stdout, stderr });
        if (typeof fault.code === "number") return resolve({ code: fault.code, stdout, stderr });
        if (fault.signal && !fault.killed) {
          return resolve({ code: 128 + constants.signals[fault.signal], stdout, stderr });
        }
        const why = fault.killed ? `not finished after ${timeoutMs} ms` : fault.message;
        reject(new Error(`${command} ${args.join(" ")}: ${why}\n${stdout}${stderr}`));
      },
    );
    if (child.pid !== undefined) started?.(child.pid);
    // A command that ends without reading its input closes the pipe: its exit code says more than EPIPE.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs a command that must succeed, and gives its standard output; rejects with what it wrote otherwise. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const done = await attempt(command, args, options);
  if (done.code !== 0) {
    throw new Error(`${command} ${args.join(" ")}: exit code ${done.code}\n${done.stdout}${done.stderr}`);
  }
  return done.stdout;
}
