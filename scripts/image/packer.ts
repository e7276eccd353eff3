import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** A Packer that is there. */
export interface Packer {
  readonly program: string;
  readonly version: string;
  /** From 1.7 on plugins are installed by `packer init`; before, all are built in and `required_plugins` is refused. */
  readonly hasInit: boolean;
}

/** What went wrong, for a person. */
export class ImageError extends Error {}

const OLDEST = [1, 6, 6] as const;

/** Looks at a Packer. Throws an ImageError when there is none, or one that is too old or another program of that name. */
export function findPacker(program: string): Packer {
  const run = spawnSync(program, ["version"], { encoding: "utf8", env: quiet() });
  if (run.error !== undefined) {
    throw new ImageError(
      `${program} does not run (${run.error.message}). Install Packer: apt-get install packer on Debian, or https://developer.hashicorp.com/packer/install; or name it by --packer`,
    );
  }
  if (run.status !== 0) {
    throw new ImageError(
      `${program} version ends with ${run.status ?? run.signal}: ${`${run.stdout}${run.stderr}`.trim()}`,
    );
  }
  const [, major, minor, patch] = /^Packer v(\d+)\.(\d+)\.(\d+)/.exec(run.stdout) ?? [];
  if (major === undefined) {
    throw new ImageError(`${program} is not HashiCorp's Packer: name the right one by --packer`);
  }
  const version = [major, minor, patch].map(Number);
  if (compare(version, OLDEST) < 0) {
    throw new ImageError(
      `${program} is ${version.join(".")}, and the templates need ${OLDEST.join(".")} or later`,
    );
  }
  return { program, version: version.join("."), hasInit: compare(version, [1, 7, 0]) >= 0 };
}

/** Runs it for a short question, and gives what it writes. */
export function askPacker(
  packer: Packer,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { readonly ok: boolean; readonly output: string } {
  const run = spawnSync(packer.program, args, { encoding: "utf8", env: { ...quiet(), ...environment } });
  return { ok: run.status === 0, output: `${run.stdout}${run.stderr}`.trim() };
}

let running: { readonly child: ChildProcess; isStopped: boolean } | undefined;

/** Runs it on this terminal; gives whether it succeeded. */
export function runPacker(packer: Packer, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(packer.program, args, { stdio: "inherit", env: quiet() });
    running = { child, isStopped: false };
    const end = () => {
      running = undefined;
    };
    child.once("exit", (code) => {
      end();
      resolve(code === 0);
    });
    child.once("error", (error) => {
      end();
      reject(error);
    });
  });
}

/**
 * What a signal to this program means for the Packer that it runs; false when it runs none. It is told once, by SIGTERM, and
 * cleans up after itself: a second time would make it leave its server behind. Ctrl-C has reached it by the terminal already.
 */
export function stopPacker(signal: NodeJS.Signals): boolean {
  if (running === undefined) return false;
  if (signal !== "SIGINT" && !running.isStopped) running.child.kill("SIGTERM");
  running.isStopped = true;
  return true;
}

/** No look for newer versions, which needs a network and tells HashiCorp of each build. */
function quiet(): NodeJS.ProcessEnv {
  return { CHECKPOINT_DISABLE: "1", ...process.env };
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
