import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Host, STUBS } from "./host.ts";
import { AGENT, type Run, type Shell } from "./shells.ts";

const FINGERPRINT = "74A5E9C458E1A431F1DA57A71657198823E52A61";

/** Runs a command that has to succeed. */
function done(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

/** A package repository with packages that hold nothing. */
export class Repository {
  readonly folder: string;
  /** Where its packages are listed, below `folder`. */
  readonly #list: string;

  /** With a suite it is laid out as ZeroTier's, else flat. */
  constructor(folder: string, suite?: string) {
    this.folder = folder;
    const dist = suite === undefined ? "." : `dists/${suite}`;
    const architecture = spawnSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).stdout.trim();
    const list = suite === undefined ? dist : `${dist}/main/binary-${architecture}`;
    mkdirSync(join(folder, list), { recursive: true });
    this.#list = join(folder, list, "Packages");
    writeFileSync(this.#list, "");
    writeFileSync(
      join(folder, dist, "Release"),
      `Suite: ${suite ?? "."}\nCodename: ${suite ?? "."}\nComponents: main\nArchitectures: ${architecture}\n`,
    );
  }

  /** Adds a version of a package with more lines for its control file; gives the path of its file. */
  add(name: string, version: string, ...control: readonly string[]): string {
    const tree = join(this.folder, "tree");
    mkdirSync(join(tree, "DEBIAN"), { recursive: true });
    const fields = [`Package: ${name}`, `Version: ${version}`, "Architecture: all", "Priority: optional"]
      .concat("Section: admin", "Maintainer: Tests <tests@meshboot.invalid>", control, "Description: test")
      .join("\n");
    writeFileSync(join(tree, "DEBIAN/control"), `${fields}\n`);
    const file = `${name}_${version}_all.deb`;
    const deb = join(this.folder, file);
    done("dpkg-deb", "--root-owner-group", "--build", tree, deb);
    const sha256 = createHash("sha256").update(readFileSync(deb)).digest("hex");
    appendFileSync(
      this.#list,
      `${fields}\nFilename: ${file}\nSize: ${statSync(deb).size}\nSHA256: ${sha256}\n\n`,
    );
    rmSync(tree, { recursive: true });
    return deb;
  }
}

/**
 * A server with neither ZeroTier nor Docker, whose apt is the one of this machine, below the server's root: what it
 * decides and says is apt's own.
 */
export class AptHost extends Host {
  /** What the distribution has. */
  readonly distribution: Repository;
  readonly #stubs: string;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(directory: string) {
    super(directory);
    this.distribution = new Repository(join(directory, "distribution"));
    for (const made of [
      "/etc/apt/sources.list.d",
      "/etc/apt/preferences.d",
      "/etc/apt/apt.conf.d",
      "/var/lib/apt/lists/partial",
      "/var/cache/apt/archives/partial",
      "/var/lib/dpkg/info",
      "/var/lib/dpkg/updates",
      "/var/log/apt",
      "/usr/share/keyrings",
    ]) {
      mkdirSync(this.root + made, { recursive: true });
    }
    this.write("/var/lib/dpkg/status", "");
    this.write("/etc/apt/sources.list", `deb [trusted=yes] file:${this.distribution.folder} ./\n`);
    const config = join(directory, "apt.conf");
    writeFileSync(
      config,
      `Dir "${this.root}";
Dir::State::status "${this.root}/var/lib/dpkg/status";
Dir::Bin::methods "/usr/lib/apt/methods";
Dir::Bin::dpkg "/usr/bin/dpkg";
APT::Sandbox::User "root";
DPkg::Options { "--root=${this.root}"; "--force-not-root"; "--force-script-chrootless"; };
`,
    );
    const stubs = join(directory, "stubs");
    this.#stubs = stubs;
    cpSync(STUBS, stubs, { recursive: true });
    for (const name of ["apt-get", "apt-cache", "zerotier-one", "dockerd"]) rmSync(join(stubs, name));
    const stub = (name: string, text: string) =>
      writeFileSync(join(stubs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    // dpkg as the agent itself calls it would be this machine's.
    stub("dpkg", 'echo "dpkg $*" >>"$WORLD/calls"');
    stub(
      "gpg",
      `case $* in *--list-keys*) printf 'pub:\\nfpr:::::::::${FINGERPRINT}:\\n' ;; *--export*) echo key ;; esac`,
    );
    renameSync(join(stubs, "curl"), join(stubs, "curl-worker"));
    stub("curl", 'case $* in *https://mesh.*) exec curl-worker "$@" ;; esac');
    this.#environment = { PATH: `${stubs}:${process.env["PATH"] ?? "/usr/bin:/bin"}`, APT_CONFIG: config };
  }

  /** Makes it one that has a program already, by whatever way. */
  have(program: string): this {
    cpSync(join(STUBS, program), join(this.#stubs, program));
    return this;
  }

  /** Installs packages as somebody else would. */
  install(...debs: readonly string[]): void {
    const programs = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
    const options = [`--root=${this.root}`, "--force-not-root", "--force-depends", "--log=/dev/null"];
    const { status, stderr } = spawnSync("dpkg", [...options, "--install", ...debs], {
      encoding: "utf8",
      env: programs,
    });
    if (status !== 0) throw new Error(stderr);
  }

  /** What is installed, `name version` in the order of names. */
  installed(): string[] {
    const stanzas = (this.read("/var/lib/dpkg/status") ?? "").split("\n\n");
    return stanzas
      .filter((stanza) => / installed$/m.test(stanza))
      .map((stanza) =>
        ["Package", "Version"].map((key) => new RegExp(`^${key}: (.*)$`, "m").exec(stanza)?.[1]).join(" "),
      )
      .sort();
  }

  /** Runs a verb of the agent. */
  meshboot(shell: Shell, verb: string): Run {
    return this.run(shell, verb, AGENT, this.#environment);
  }

  /** Whether apt can still be used on this server; what it says where it cannot. */
  aptFault(): string {
    const { status, stderr } = spawnSync("apt-cache", ["policy"], {
      encoding: "utf8",
      env: { ...process.env, ...this.#environment },
    });
    return status === 0 ? "" : stderr;
  }
}
