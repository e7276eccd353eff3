import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { cloudInitFinished } from "../lab/cloud-init.ts";
import { attempt, type Done, run } from "../lab/command.ts";
import type { Lab } from "../lab/lab.ts";
import { inside } from "../lab/network.ts";
import { GATEWAY_IPV4, GATEWAY_IPV6, internetAddress, WIRE, WIRE_MTU } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";
import { type Disk, KERNEL_ARGUMENTS } from "./disk.ts";

/** Each program that a virtual machine takes beside the lab's, and the Debian package that has it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
  "/usr/sbin/mke2fs": "e2fsprogs",
  "/usr/bin/ssh": "openssh-client",
};

/** Rejects, and says what to install, on a machine that cannot emulate another one. */
export function checkEmulator(): void {
  const missing = Object.entries(PROGRAMS).filter(([program]) => !existsSync(program));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name).join(" ");
  throw new Error(`not installed: ${missing.map(([program]) => program).join(", ")}.
Run: apt-get install --no-install-recommends ${packages}`);
}

/** What of the machine stays the same, by network card: on which of the lab's bridges it is, and its address there. */
const CARDS = [
  { name: "eth0", bridge: "wan0", mtu: 1500, mac: "52:54:00:00:00:01" },
  { name: WIRE, bridge: "wire", mtu: WIRE_MTU, mac: "52:54:00:00:00:02" },
] as const;

function networkConfig(index: number): string {
  const own = internetAddress(index);
  const subnets = [
    { type: "static", address: `${own.ipv4}/24`, gateway: GATEWAY_IPV4 },
    { type: "static6", address: `${own.ipv6}/64`, gateway: GATEWAY_IPV6 },
  ];
  const config = CARDS.map(({ name, mac }) => ({
    type: "physical",
    name,
    mac_address: mac,
    subnets: name === "eth0" ? subnets : [{ type: "manual" }],
  }));
  return JSON.stringify({ version: 1, config });
}

/** A whole computer with Debian's own kernel, emulated by QEMU in software, on the lab's two bridges. */
export class Machine {
  readonly name: string;
  readonly console: string;
  readonly #address: string;
  readonly #lab: Lab;
  readonly #directory: string;

  private constructor(lab: Lab, name: string, index: number) {
    this.name = name;
    this.#lab = lab;
    this.#address = internetAddress(index).ipv4;
    this.#directory = `${lab.directory}/${name}`;
    this.console = `${lab.directory}/${name}-console.log`;
  }

  /** Switches a machine on with that disk; resolves before it has booted. */
  static async start(
    lab: Lab,
    options: { name: string; index: number; disk: Disk; userData: string },
  ): Promise<Machine> {
    const machine = new Machine(lab, options.name, options.index);
    mkdirSync(machine.#directory, { recursive: true });
    await machine.#makeSeed(options);
    await machine.#plugIn();
    machine.#switchOn(options.disk);
    return machine;
  }

  /** What the provider's metadata service would say, on a second disk as cloud-init's NoCloud wants it. */
  async #makeSeed({ index, userData }: { index: number; userData: string }): Promise<void> {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${this.#directory}/key`]);
    const key = await run("cat", [`${this.#directory}/key.pub`]);
    const seed = `${this.#directory}/seed`;
    mkdirSync(seed);
    const metaData = {
      "instance-id": `i-${this.name}`,
      "local-hostname": this.name,
      "public-keys": [key.trim()],
    };
    writeFileSync(`${seed}/meta-data`, JSON.stringify(metaData));
    writeFileSync(`${seed}/network-config`, networkConfig(index));
    writeFileSync(`${seed}/user-data`, userData);
  }

  async #plugIn(): Promise<void> {
    const ip = (...args: string[]) => run(...inside(this.#lab.network.internet, "ip", args));
    for (const { name, bridge, mtu } of CARDS) {
      const port = `${this.name}-${name}`;
      await ip("tuntap", "add", "dev", port, "mode", "tap");
      await ip("link", "set", port, "mtu", String(mtu), "master", bridge, "up");
    }
  }

  #switchOn(disk: Disk): void {
    const cards = CARDS.flatMap(({ name, mac, mtu }) => [
      ...["-netdev", `tap,id=${name},ifname=${this.name}-${name},script=no,downscript=no`],
      ...["-device", `virtio-net-pci,netdev=${name},mac=${mac},host_mtu=${mtu},romfile=`],
    ]);
    const log = openSync(`${this.#lab.directory}/${this.name}-qemu.log`, "a");
    const [command, args] = inside(this.#lab.network.internet, "qemu-system-x86_64", [
      ...["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2048"],
      ...["-nographic", "-monitor", "none", "-serial", `file:${this.console}`],
      ...["-kernel", disk.kernel, "-initrd", disk.initrd],
      ...["-append", KERNEL_ARGUMENTS],
      ...["-drive", `file=${disk.file},if=virtio,format=${disk.format},cache=unsafe`],
      ...["-drive", `driver=vvfat,dir=${this.#directory}/seed,label=CIDATA,if=virtio,read-only=on`],
      ...cards,
      ...["-device", "virtio-rng-pci"],
    ]);
    const qemu = spawn(command, args, { detached: true, stdio: ["ignore", log, log] });
    if (qemu.pid !== undefined) this.#lab.journal.process(qemu.pid);
  }

  /** Waits until it answers on ssh. */
  answers(): Promise<void> {
    return until(`${this.name} to answer on ssh`, 600, async () => {
      const { code, stderr } = await this.try("true");
      return code === 0 ? holds(undefined) : not(stderr);
    });
  }

  /** Waits until cloud-init has finished. */
  settled(): Promise<string> {
    return until(`cloud-init of ${this.name} to have finished`, 900, () => cloudInitFinished(this));
  }

  /** Runs a command in the machine, as root, whatever its exit code. */
  try(...words: readonly string[]): Promise<Done> {
    return this.#ssh(words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" "));
  }

  /** Runs a command that must succeed, and gives its standard output without the last newline. */
  async run(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(...words);
    if (code !== 0)
      throw new Error(`${this.name}: ${words.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /** Runs a shell script; see run. */
  sh(script: string): Promise<string> {
    return this.run("sh", "-ec", script);
  }

  /** Writes a file into the machine. */
  async put(path: string, content: Buffer): Promise<void> {
    const { code, stderr } = await this.#ssh(`base64 -d >'${path}'`, content.toString("base64"));
    if (code !== 0) throw new Error(`${this.name}: ${path}: ${stderr}`);
  }

  #ssh(script: string, input?: string): Promise<Done> {
    const options = [
      ...["-i", `${this.#directory}/key`, "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"],
      ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
    ];
    const asRoot = `sudo sh -c '${script.replaceAll("'", "'\\''")}'`;
    const [command, args] = inside(this.#lab.network.internet, "ssh", [
      ...options,
      `debian@${this.#address}`,
      asRoot,
    ]);
    return attempt(command, args, { timeoutMs: 300_000, ...(input === undefined ? {} : { input }) });
  }
}
