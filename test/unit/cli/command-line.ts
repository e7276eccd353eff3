import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** What a command gave. */
export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command line as it is shipped, with a home of its own. */
export interface CommandLine {
  /** Where it is run, and where its home is. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `meshboot` with these words, and no terminal. */
  run(words: readonly string[], env?: Readonly<Record<string, string>>, input?: string): Promise<Run>;
  /** Runs shell text in which `meshboot` is a command. */
  shell(script: string, env?: Readonly<Record<string, string>>): Promise<Run>;
  remove(): void;
}

/** Bundles the command line into a folder of its own. */
export function bundledCommandLine(): CommandLine {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-cli-"));
  const bin = join(directory, "bin");
  mkdirSync(bin);
  const file = join(directory, "bundle", "meshboot.mjs");
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/bundle-cli.mjs"), file], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  symlinkSync(file, join(bin, "meshboot"));
  symlinkSync(process.execPath, join(bin, "node"));
  const env = {
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    HOME: directory,
    XDG_CONFIG_HOME: join(directory, "config"),
  };
  const start = async (command: string, args: readonly string[], more: object, input = ""): Promise<Run> => {
    const child = spawn(command, args, { cwd: directory, env: { ...env, ...more } });
    // It may be gone before it has read that.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const [out, err, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended]);
    return { code, out, err };
  };
  return {
    directory,
    env,
    run: (words, more = {}, input) => start(process.execPath, [file, ...words], more, input),
    shell: (script, more = {}) => start("sh", ["-c", script], more),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

/** Writes what `login` would have written. */
export function signIn(
  line: CommandLine,
  contexts: Readonly<Record<string, { url: string; token: string }>>,
): void {
  const folder = join(line.directory, "config", "meshboot");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "contexts.json");
  // One that is there keeps its mode.
  rmSync(file, { force: true });
  const [current = null] = Object.keys(contexts);
  writeFileSync(file, JSON.stringify({ current, contexts }), { mode: 0o600 });
}
