import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Guest, type GuestOptions } from "./guest.ts";
import { Journal, startOf, sweep } from "./journal.ts";
import { LabNetwork } from "./network.ts";
import { checkRequirements } from "./requirements.ts";
import { CACHE, type Image, type ImageKind, Images } from "./rootfs.ts";

const DIAGNOSIS =
  "cloud-init status --long; systemctl --failed --no-legend; journalctl -u meshboot -o short -n 30 --no-pager; meshboot status";

const RUNS = `${CACHE}/runs`;

/** Undoes what earlier runs left whose process is gone (and whose reaper did not get to its end). */
async function sweepEarlierRuns(): Promise<void> {
  for (const name of existsSync(RUNS) ? readdirSync(RUNS) : []) {
    const [, pid, started] = name.split("-");
    const file = `${RUNS}/${name}/journal`;
    if (!existsSync(file) || startOf(Number(pid)) === started) continue;
    for (const complaint of await sweep(file))
      console.error(`boot lab: left by an earlier run: ${complaint}`);
  }
}

/** A place of its own for everything that a run makes, and the certainty that it is gone afterwards. */
export class Lab {
  /** Names of namespaces, cgroups and machines begin with it. */
  readonly prefix: string;
  readonly directory: string;
  readonly journal: Journal;
  readonly network: LabNetwork;
  readonly guests: Guest[] = [];
  readonly #images: Images;
  readonly #reaper: ChildProcess;

  private constructor(parts: {
    prefix: string;
    directory: string;
    journal: Journal;
    network: LabNetwork;
    reaper: ChildProcess;
  }) {
    this.prefix = parts.prefix;
    this.directory = parts.directory;
    this.journal = parts.journal;
    this.network = parts.network;
    this.#images = new Images(parts.journal);
    this.#reaper = parts.reaper;
  }

  /** Rejects at once, and says what to install, on a machine that cannot run it. */
  static async open(): Promise<Lab> {
    checkRequirements();
    await sweepEarlierRuns();
    const id = randomBytes(2).toString("hex");
    const directory = `${RUNS}/run${id}-${process.pid}-${startOf(process.pid)}`;
    mkdirSync(directory, { recursive: true });
    const journal = new Journal(`${directory}/journal`);
    journal.directory(directory);
    const reaper = spawn(process.execPath, [join(import.meta.dirname, "reaper.ts"), journal.file], {
      detached: true,
      stdio: ["pipe", "inherit", "inherit"],
    });
    const prefix = `mb${id}`;
    const network = await LabNetwork.make(prefix, journal);
    return new Lab({ prefix, directory, journal, network, reaper });
  }

  /** A new server, not switched on yet, of a kind that there is or of an image that was made here. */
  async order(options: Omit<GuestOptions, "image"> & { image: ImageKind | Image }): Promise<Guest> {
    const { image } = options;
    const layers = typeof image === "string" ? await this.#images.get(image) : image;
    const guest = await Guest.order({ ...options, image: layers }, this);
    this.guests.push(guest);
    return guest;
  }

  /**
   * Keeps what tells why a test failed (journals, logs of cloud-init and the servers) in $MESHBOOT_LAB_LOGS when that
   * is set, then undoes everything.
   */
  async close(): Promise<void> {
    const keep = process.env["MESHBOOT_LAB_LOGS"];
    if (keep !== undefined) await this.#keepLogs(keep);
    await Promise.all(this.guests.filter((guest) => guest.isRunning).map((guest) => guest.powerOff()));
    const swept = new Promise<number | null>((resolve) => this.#reaper.once("exit", resolve));
    this.#reaper.stdin?.end();
    if ((await swept) !== 0) throw new Error("the lab could not undo everything that it made: see above");
  }

  async #keepLogs(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(this.directory)) {
      if (name.endsWith(".log")) cpSync(`${this.directory}/${name}`, `${folder}/${name}`);
    }
    for (const guest of this.guests) {
      const journal = guest.isRunning ? await guest.try("journalctl", "--no-pager") : undefined;
      if (journal) writeFileSync(`${folder}/${guest.name}-journal.log`, journal.stdout);
      for (const name of ["cloud-init.log", "cloud-init-output.log"]) {
        const file = `${guest.root}/var/log/${name}`;
        if (existsSync(file)) cpSync(file, `${folder}/${guest.name}-${name}`);
      }
    }
  }

  /** The end of each server's log and of what each guest says about Meshboot, for a message about a failure. */
  async diagnosis(): Promise<string> {
    const logs = readdirSync(this.directory).filter((name) => name.endsWith(".log"));
    const tail = (file: string) =>
      readFileSync(`${this.directory}/${file}`, "utf8").split("\n").slice(-15).join("\n");
    const guests = this.guests.map(async (guest) => {
      const said = guest.isRunning
        ? await guest.try("sh", "-c", DIAGNOSIS).then((done) => done.stdout + done.stderr, String)
        : "is off";
      return `--- ${guest.name}\n${guest.consoleTail(10)}\n${said}`;
    });
    return [...logs.map((name) => `--- ${name}\n${tail(name)}`), ...(await Promise.all(guests))].join("\n");
  }
}
