import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { Refused } from "./refused.ts";

/** What a run of wrangler gave. */
interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How wrangler is run. */
export interface WranglerOptions {
  readonly root: string;
  /** Set beside those of this process. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What its standard input is; secrets come this way alone. */
  readonly input?: string;
}

const BIN = join(dirname(createRequire(import.meta.url).resolve("wrangler")), "../bin/wrangler.js");
const QUIET = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  NO_COLOR: "1",
  FORCE_COLOR: "0",
};
/** ms. What hangs longer is given up; an upload over a slow line takes seconds. */
const PATIENCE_MS = 300_000;

/** Runs the wrangler of this repository. It asks nothing: its standard input is no terminal. */
export async function runWrangler(args: readonly string[], options: WranglerOptions): Promise<Ran> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.root,
    env: { ...process.env, ...QUIET, ...options.variables },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: PATIENCE_MS,
  });
  // A wrangler that ends before it has read it all says why itself.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Runs wrangler on this terminal, for what it does in a browser and with questions of its own. False when it fails. */
export async function showWrangler(args: readonly string[], root: string): Promise<boolean> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: root, stdio: "inherit" });
  return (await new Promise<number | null>((resolve) => child.once("close", resolve))) === 0;
}

/** What wrangler said went wrong, without its frame. */
export function complaintOf({ stdout, stderr }: Ran): string {
  const lines = (stderr.trim() === "" ? stdout : stderr)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
    .replace(/\x1b\[[0-9;]*m/g, "")
    .split("\n")
    .map((line) => line.trim().replace(/^\S* ?\[ERROR\] /, ""))
    .filter(
      (line) =>
        line !== "" && !/^🪵|^If you think this is a bug|newer version of Wrangler|^⛅|^─/u.test(line),
    );
  return lines.slice(0, 6).join("; ") || "it said nothing";
}

/** Runs wrangler; throws a Refused that begins with `doing` when it fails. */
export async function mustRun(
  doing: string,
  args: readonly string[],
  options: WranglerOptions,
): Promise<string> {
  const ran = await runWrangler(args, options);
  if (ran.code === 0) return ran.stdout;
  throw new Refused(
    `${doing}: Cloudflare or wrangler refused (wrangler ${args.slice(0, 2).join(" ")}): ${complaintOf(ran)}`,
  );
}

/** The JSON in what wrangler printed; it may say something before. Throws a Refused when there is none. */
export function jsonOf(stdout: string): unknown {
  for (const { index } of stdout.matchAll(/^[{[]/gm)) {
    try {
      return JSON.parse(stdout.slice(index));
    } catch {
      // A line of text that begins like JSON; the next one may be it.
    }
  }
  throw new Refused(
    "wrangler printed no JSON where it should: install the version of package-lock.json (npm ci)",
  );
}
