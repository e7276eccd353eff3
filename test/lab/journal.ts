import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";

/** Something that the lab made on this machine and that has to be gone when it ends. */
const Entry = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("process"), pid: z.number(), started: z.string() }),
  z.object({ kind: z.literal("mount"), path: z.string() }),
  z.object({ kind: z.literal("namespace"), name: z.string() }),
  z.object({ kind: z.literal("cgroup"), path: z.string() }),
  z.object({ kind: z.literal("agent"), home: z.string() }),
  z.object({ kind: z.literal("directory"), path: z.string() }),
]);
type Entry = z.infer<typeof Entry>;

/**
 * When a process started, in clock ticks since the machine's start, or undefined when there is none: with the pid it
 * names a process for good, so that a pid given to another process meanwhile is never killed.
 */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The list, on disk, of what has to be undone: written before or as the thing is made, swept in reverse. */
export class Journal {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  process(pid: number): void {
    const started = startOf(pid);
    if (started !== undefined) this.#add({ kind: "process", pid, started });
  }

  mount(path: string): void {
    this.#add({ kind: "mount", path });
  }

  namespace(name: string): void {
    this.#add({ kind: "namespace", name });
  }

  cgroup(path: string): void {
    this.#add({ kind: "cgroup", path });
  }

  /** A gpg home, whose gpg-agent is told to end. */
  agent(home: string): void {
    this.#add({ kind: "agent", home });
  }

  directory(path: string): void {
    this.#add({ kind: "directory", path });
  }

  #add(entry: Entry): void {
    appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }
}

/** With its process group where it leads one: the local Worker's workerd would go on without it. */
async function killed(pid: number, started: string): Promise<void> {
  if (startOf(pid) === started) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      process.kill(pid, "SIGKILL");
    }
  }
  for (let round = 0; startOf(pid) === started; round += 1) {
    if (round > 100) throw new Error(`process ${pid} is still there 10 s after SIGKILL`);
    await pause(100);
  }
}

/** Removes a cgroup and those below it; they refuse while a dying process is still counted in them. */
async function removeCgroup(path: string): Promise<void> {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(`${path}/${entry.name}`);
  }
  for (let round = 0; ; round += 1) {
    try {
      return rmdirSync(path);
    } catch (fault) {
      if (round > 50) throw fault;
      await pause(100);
    }
  }
}

function isMounted(path: string): boolean {
  return readFileSync("/proc/self/mounts", "utf8").includes(` ${path} `);
}

async function undo(entry: Entry): Promise<void> {
  switch (entry.kind) {
    case "process":
      return killed(entry.pid, entry.started);
    case "mount":
      if (isMounted(entry.path)) execFileSync("umount", [entry.path]);
      return;
    case "namespace":
      if (existsSync(`/run/netns/${entry.name}`)) execFileSync("ip", ["netns", "del", entry.name]);
      return;
    case "cgroup":
      return removeCgroup(entry.path);
    case "agent":
      if (existsSync(entry.home)) execFileSync("gpgconf", ["--homedir", entry.home, "--kill", "all"]);
      return;
    case "directory":
      // Never below something still mounted: that would empty what the mount shows.
      if (readFileSync("/proc/self/mounts", "utf8").includes(` ${entry.path}/`)) {
        throw new Error(`${entry.path} still has mounts below it`);
      }
      return rmSync(entry.path, { recursive: true, force: true });
  }
}

/** Undoes everything in a journal, last made first. Goes on after a failure; gives what could not be undone. */
export async function sweep(file: string): Promise<string[]> {
  const entries = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Entry.parse(JSON.parse(line)));
  const complaints: string[] = [];
  for (const entry of entries.reverse()) {
    try {
      await undo(entry);
    } catch (fault) {
      complaints.push(`${JSON.stringify(entry)}: ${fault instanceof Error ? fault.message : String(fault)}`);
    }
  }
  return complaints;
}
