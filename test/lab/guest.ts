import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cloudInitFinished } from "./cloud-init.ts";
import { attempt, type Done, run } from "./command.ts";
import { type Journal, startOf } from "./journal.ts";
import type { LabNetwork } from "./network.ts";
import type { Image } from "./rootfs.ts";
import { GATEWAY_IPV4, GATEWAY_IPV6, internetAddress } from "./topology.ts";
import { holds, not, until } from "./until.ts";

/** What a provider hands a new server through its metadata service, and where it plugs it in. */
export interface GuestOptions {
  /** The server's name, at most nine characters (it begins network card names). */
  readonly name: string;
  /** Its number from 1, from which its addresses follow. */
  readonly index: number;
  readonly image: Image;
  /** As pasted when ordering the server; a server ordered without has none. */
  readonly userData?: string;
  /** cloud-init's network-config; without it eth0 has its addresses of both families, and its gateways, from there. */
  readonly networkConfig?: Readonly<Record<string, unknown>>;
}

/** With it systemd-nspawn says that the guest asked for a reboot. */
const REBOOT = 133;

const CGROUPS = "/sys/fs/cgroup";

const ENVIRONMENT = [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "LANG=C.UTF-8",
];

interface Boot {
  readonly nspawn: ChildProcess;
  readonly ended: Promise<number>;
  readonly leader: number;
  readonly cgroups: readonly string[];
}

/** The first process of the container: nspawn's only child. */
function childOf(parent: number): number | undefined {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      if (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] === String(parent)) return Number(name);
    } catch {
      // it ended while we looked
    }
  }
  return undefined;
}

/** One cgroup a guest in every hierarchy that nspawn uses: two guests in one would see each other's processes. */
function makeCgroups(name: string, journal: Journal): string[] {
  const roots = existsSync(`${CGROUPS}/cgroup.controllers`)
    ? [CGROUPS]
    : ["unified", "systemd"].map((hierarchy) => `${CGROUPS}/${hierarchy}`).filter((path) => existsSync(path));
  return roots.map((root) => {
    const path = `${root}/${name}`;
    journal.cgroup(path);
    mkdirSync(path, { recursive: true });
    return path;
  });
}

function staticNetwork(index: number): Readonly<Record<string, unknown>> {
  const own = internetAddress(index);
  return {
    version: 2,
    ethernets: {
      eth0: {
        addresses: [`${own.ipv4}/24`, `${own.ipv6}/64`],
        gateway4: GATEWAY_IPV4,
        gateway6: GATEWAY_IPV6,
      },
    },
  };
}

function enterArguments({ leader }: Boot): string[] {
  const namespaces = ["-t", String(leader), "-m", "-u", "-i", "-n", "-p", "-C", "--"];
  return [...namespaces, "/usr/bin/env", "-i", ...ENVIRONMENT];
}

/** A server: systemd, cloud-init and whatever they start, in a container on its own disk and network cards. */
export class Guest {
  readonly name: string;
  readonly index: number;
  /** The guest's root directory as this machine sees it, without what the guest mounts itself. */
  readonly root: string;
  readonly console: string;
  readonly #directory: string;
  readonly #network: LabNetwork;
  readonly #journal: Journal;
  readonly #machine: string;
  readonly #image: Image;
  #boot: Boot | undefined;
  #boots = 0;

  private constructor(
    options: GuestOptions,
    directory: string,
    machine: string,
    network: LabNetwork,
    journal: Journal,
  ) {
    this.name = options.name;
    this.index = options.index;
    this.root = `${directory}/root`;
    this.console = `${directory}/console.log`;
    this.#directory = directory;
    this.#network = network;
    this.#journal = journal;
    this.#machine = machine;
    this.#image = options.image;
  }

  /** Prepares the disk, with the user-data where cloud-init's NoCloud looks for it. Not booted yet. */
  static async order(
    options: GuestOptions,
    lab: { directory: string; prefix: string; network: LabNetwork; journal: Journal },
  ): Promise<Guest> {
    const directory = `${lab.directory}/${options.name}`;
    const guest = new Guest(options, directory, `${lab.prefix}-${options.name}`, lab.network, lab.journal);
    for (const folder of ["upper", "work", "root", "docker"])
      mkdirSync(`${directory}/${folder}`, { recursive: true });
    lab.journal.mount(guest.root);
    const layers = `lowerdir=${options.image.join(":")},upperdir=${directory}/upper,workdir=${directory}/work`;
    await run("mount", ["-t", "overlay", "overlay", "-o", layers, guest.root]);
    const seed = `${guest.root}/var/lib/cloud/seed/nocloud`;
    mkdirSync(seed, { recursive: true });
    writeFileSync(`${seed}/meta-data`, `instance-id: i-${options.name}\nlocal-hostname: ${options.name}\n`);
    const networkConfig = options.networkConfig ?? staticNetwork(options.index);
    writeFileSync(`${seed}/network-config`, JSON.stringify(networkConfig));
    writeFileSync(`${seed}/user-data`, options.userData ?? "#cloud-config\n{}\n");
    return guest;
  }

  /** Switches the server on; resolves when its systemd answers, long before it has finished booting. */
  async boot(): Promise<void> {
    if (this.#boot) throw new Error(`${this.name} is running already`);
    const namespace = await this.#network.plugIn(this.name, this.index);
    this.#boots += 1;
    const cgroups = makeCgroups(`${this.#machine}-${this.#boots}`, this.#journal);
    const log = openSync(this.console, "a");
    // Each option is needed: /proc/sys/net writable for dockerd, a writable cgroup tree, key rings and bpf for runc,
    // no machined on this machine. Docker's layers lie on a plain directory: overlayfs refuses to stack on itself.
    const nspawn = spawn(
      "sh",
      [
        "-c",
        'for group in $CGROUPS; do echo $$ >"$group/cgroup.procs"; done; exec systemd-nspawn "$@"',
        "nspawn",
        "--quiet",
        `--directory=${this.root}`,
        "--boot",
        "--register=no",
        "--keep-unit",
        `--network-namespace-path=/run/netns/${namespace}`,
        "--capability=all",
        "--system-call-filter=@keyring bpf",
        `--machine=${this.#machine}`,
        `--bind=${this.#directory}/docker:/var/lib/docker`,
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=pipe",
      ],
      {
        detached: true,
        stdio: ["ignore", log, log],
        env: {
          ...process.env,
          CGROUPS: cgroups.join(" "),
          SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network",
          SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1",
        },
      },
    );
    const ended = new Promise<number>((resolve, reject) => {
      nspawn.once("error", reject);
      nspawn.once("exit", (code, signal) => resolve(code ?? (signal ? 128 : 1)));
    });
    const pid = nspawn.pid;
    if (pid === undefined) throw new Error("systemd-nspawn did not start");
    this.#journal.process(pid);
    const leader = await until(`the first process of ${this.name}`, 60, async () => {
      if (nspawn.exitCode !== null) throw new Error(`systemd-nspawn ended:\n${this.consoleTail()}`);
      const child = childOf(pid);
      return child === undefined ? not("no child of systemd-nspawn") : holds(child);
    });
    this.#journal.process(leader);
    this.#boot = { nspawn, ended, leader, cgroups };
    await until(`systemd in ${this.name}`, 120, async () => {
      // The first child may be one that only made things ready, and is gone by now.
      const child = childOf(pid);
      if (child !== undefined && child !== this.#boot?.leader) {
        this.#journal.process(child);
        this.#boot = { nspawn, ended, leader: child, cgroups };
      }
      const state = await this.try("systemctl", "is-system-running");
      return /^(starting|running|degraded)/.test(state.stdout)
        ? holds(undefined)
        : not(state.stdout + state.stderr);
    });
  }

  /** Runs a command in the guest, as root, whatever its exit code; three minutes at most. */
  try(command: string, ...args: string[]): Promise<Done> {
    if (!this.#boot) throw new Error(`${this.name} is off`);
    return attempt("nsenter", [...enterArguments(this.#boot), command, ...args], { timeoutMs: 180_000 });
  }

  /** The command line that runs another one in the guest, for a person's shell. */
  enterCommand(command: string): string {
    return ["nsenter", ...enterArguments(this.#running()), command].join(" ");
  }

  /** Runs a command in the guest that must succeed, and gives its standard output without the last newline. */
  async run(command: string, ...args: string[]): Promise<string> {
    const done = await this.try(command, ...args);
    if (done.code !== 0) {
      const line = [command, ...args].join(" ");
      throw new Error(`${this.name}: ${line}: exit code ${done.code}\n${done.stdout}${done.stderr}`);
    }
    return done.stdout.trimEnd();
  }

  /** Runs a shell script in the guest; see run. */
  sh(script: string): Promise<string> {
    return this.run("sh", "-ec", script);
  }

  /** Waits until cloud-init has finished and systemd has started all that it was to start. */
  async settled(seconds = 120): Promise<void> {
    await until(`${this.name} has booted`, seconds, async () => {
      const cloud = await cloudInitFinished(this);
      if (!cloud.done) return cloud;
      const system = await this.try("systemctl", "is-system-running");
      return /^(initializing|starting)/.test(system.stdout)
        ? not(`${cloud.value}, systemd ${system.stdout.trim()}`)
        : holds(undefined);
    });
  }

  /** Reboots by the guest's own command, and resolves when its systemd answers again. */
  async reboot(): Promise<void> {
    const boot = this.#running();
    await this.try("systemctl", "--no-block", "reboot");
    const code = await this.#end(boot, 180);
    if (code !== REBOOT) throw new Error(`${this.name} ended with ${code} instead of rebooting`);
    await this.boot();
  }

  /** Shuts the server down as its own `poweroff` would. */
  async powerOff(): Promise<void> {
    const boot = this.#running();
    boot.nspawn.kill("SIGTERM");
    await this.#end(boot, 180);
  }

  /** Cuts the power. */
  async pullThePlug(): Promise<void> {
    const boot = this.#running();
    process.kill(boot.leader, "SIGKILL");
    await this.#end(boot, 20);
  }

  /** The disk of a server that is off, as an image for others. The server itself is gone then. */
  async intoImage(): Promise<Image> {
    if (this.#boot) throw new Error(`${this.name} is running: power it off before an image is made of it`);
    await run("umount", [this.root]);
    return [`${this.#directory}/upper`, ...this.#image];
  }

  get isRunning(): boolean {
    return this.#boot !== undefined;
  }

  /** The last lines on the console, for a message about a failure. */
  consoleTail(lines = 40): string {
    return existsSync(this.console)
      ? readFileSync(this.console, "utf8").split("\n").slice(-lines).join("\n")
      : "";
  }

  #running(): Boot {
    if (!this.#boot) throw new Error(`${this.name} is off`);
    return this.#boot;
  }

  async #end(boot: Boot, seconds: number): Promise<number> {
    const code = await until(`${this.name} to be off`, seconds, async () => {
      const { exitCode, signalCode } = boot.nspawn;
      if (exitCode === null && signalCode === null) return not("systemd-nspawn is still running");
      return startOf(boot.leader) === undefined
        ? holds(await boot.ended)
        : not("its first process is still there");
    });
    this.#boot = undefined;
    await this.#network.unplug(this.name);
    return code;
  }
}
