import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { AGENT as agent } from "../../scripts/agent.ts";

/** The agent in a file that is gone when this process ends. */
export const AGENT = written("meshboot", agent.program);

/** The day, as a number: what is too slow to be run whole takes turns by it. */
export const TODAY = Math.floor(Date.now() / 86_400_000);

/** A shell that the agent has to run in. */
export interface Shell {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const DASH: Shell = { name: "dash", command: ["dash"] };
const BUSYBOX: Shell = { name: "busybox sh", command: ["busybox", "sh"] };

/** Whether the command is there; when it is not, says loudly which tests do not run. */
export function available(command: string, args: readonly string[], without: string): boolean {
  const found = spawnSync(command, args, { stdio: "ignore" }).error === undefined;
  if (!found) console.warn(`SKIPPED: ${command} is not installed, ${without}`);
  return found;
}

/** The shells of this machine in which every test of the agent's functions runs. */
export const SHELLS: readonly Shell[] = [DASH, BUSYBOX].filter(({ name, command: [program, ...args] }) =>
  available(program, [...args, "-c", ":"], `the agent is not tested in ${name}`),
);

/**
 * For tests that run the whole agent, seconds each: one of SHELLS, which of them depends on the file and the day. All of them
 * with MESHBOOT_SHELLS=all.
 */
export function shellOfTheDay(file: string): readonly Shell[] {
  if (process.env["MESHBOOT_SHELLS"] === "all") return SHELLS;
  const files = readdirSync(dirname(file)).toSorted();
  return SHELLS.filter((_, place) => (files.indexOf(basename(file)) + TODAY) % SHELLS.length === place);
}

/** What a run of the shell gave. */
export interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs shell text, with the environment given and nothing else. `waits`: also for what it leaves behind that has let go of its
 * output, by one more descriptor that all of it have.
 */
export function runShell(
  shell: Shell,
  text: string,
  env: Readonly<Record<string, string>> = {},
  waits = true,
): Run {
  const [program, ...args] = shell.command;
  const { status, stdout, stderr } = spawnSync(program, [...args, "-c", text, "meshboot"], {
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe", waits ? "pipe" : "ignore"],
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin:/usr/sbin:/sbin", ...env },
  });
  return { status, out: stdout, err: stderr };
}

/** What would look at the machine that tests, or change it, does nothing there unless the test says what it answers. */
export const HARMLESS = ["ip", "nft", "iptables", "ip6tables", "systemctl", "docker", "sysctl"]
  .map((command) => `${command}() { :; }\n`)
  .join("");

/** Runs shell text with the functions of the agent at hand, see HARMLESS. */
export function runWithAgent(shell: Shell, text: string, env: Readonly<Record<string, string>> = {}): Run {
  return runShell(shell, `${HARMLESS}. '${AGENT}'\n${text}`, { MESHBOOT_SOURCE: "1", ...env });
}

/** Gives the function a new directory, and removes it afterwards. */
export function withDirectory<T>(use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-agent-"));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A new directory that is gone when this process ends. */
export function lastingDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-agent-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function written(name: string, text: string): string {
  const file = join(lastingDirectory(), name);
  writeFileSync(file, text, { mode: 0o755 });
  return file;
}
