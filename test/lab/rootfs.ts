import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { createAptMirror } from "./apt-mirror.ts";
import { run } from "./command.ts";
import type { Journal } from "./journal.ts";
import { GATEWAY_IPV4, MIRROR_PORT } from "./topology.ts";

/** What one of Debian's releases has on its cloud servers, and how Docker is installed there. */
interface ReleaseParts {
  readonly network: readonly string[];
  readonly service: string;
  readonly docker: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

const NO_EXPIRY = 'Acquire::Check-Valid-Until "false"';

/** Debian's releases, by what differs in them here. Each brings another generation of Docker. */
const RELEASES = {
  bookworm: {
    network: ["ifupdown", "isc-dhcp-client"],
    service: "networking.service",
    docker: ["docker.io", "apparmor", "docker-compose"],
    files: {},
  },
  trixie: {
    network: ["netplan.io", "dhcpcd-base"],
    service: "systemd-networkd.service",
    docker: ["docker.io", "docker-cli", "apparmor", "docker-compose"],
    files: {},
  },
  forky: {
    network: ["netplan.io", "dhcpcd-base"],
    service: "systemd-networkd.service",
    docker: ["docker.io", "docker-cli", "apparmor", "docker-compose"],
    files: {
      // The index of a release that is still being made is valid for a week: a mirror's snapshot may be older.
      "/etc/apt/apt.conf.d/91lab": `${NO_EXPIRY};\n`,
      // What this unit asks of udev fails in a container, which has none, and the network stays down.
      "/etc/systemd/system/netplan-configure.service.d/90lab.conf": "[Service]\nExecStartPost=\n",
      // netplan's own waits for a DNS server as well, and there is none here.
      "/etc/systemd/system/systemd-networkd-wait-online.service.d/90lab.conf":
        "[Service]\nExecStart=\nExecStart=/usr/lib/systemd/systemd-networkd-wait-online -i eth0:degraded\n",
    },
  },
} as const satisfies Record<string, ReleaseParts>;

type Release = keyof typeof RELEASES;

/** The operator's own option on the `docker` image, which must still be in force when Meshboot has been there. */
export const OPERATORS_LABEL = "rack=7";

/** Which system a guest starts from: a bare Debian cloud server, or one on which Docker runs already. */
export const IMAGE_KINDS = [
  ...(["bare", "docker", "bare-trixie", "trixie"] as const),
  ...(["bare-forky", "forky", "forky-29"] as const),
] as const;

/** One of IMAGE_KINDS. */
export type ImageKind = (typeof IMAGE_KINDS)[number];

/** What each kind is made of; without `docker` it is a bare system. */
const SYSTEMS: Readonly<
  Record<ImageKind, { release: Release; docker?: { defaults: string; isDouble?: true } }>
> = {
  bare: { release: "bookworm" },
  docker: {
    release: "bookworm",
    docker: { defaults: `DOCKER_OPTS="--label=${OPERATORS_LABEL}"\n` },
  },
  "bare-trixie": { release: "trixie" },
  trixie: { release: "trixie", docker: { defaults: "" } },
  "bare-forky": { release: "forky" },
  forky: { release: "forky", docker: { defaults: "" } },
  "forky-29": { release: "forky", docker: { defaults: "", isDouble: true } },
};

/** The directories of an image, uppermost first, as overlayfs takes them for `lowerdir`. Never written to. */
export type Image = readonly string[];

/** Where images and packages are kept between runs. */
export const CACHE = process.env["MESHBOOT_LAB_CACHE"] ?? "/var/cache/meshboot-lab";

const DOCKERD_DOUBLE = join(import.meta.dirname, "dockerd-double");

const MIRROR = "http://deb.debian.org/debian";

/** What a Debian cloud server has on it before anyone has touched it, less what no test here looks at. */
const BARE_PACKAGES = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "udev",
  "cloud-init",
  "iproute2",
  "iputils-ping",
  "netbase",
  "procps",
  "kmod",
  "curl",
  "ca-certificates",
  "locales",
  "openssh-server",
  "sudo",
];

/** What the lab itself puts into an image, by path: none of it is Meshboot's. */
function labFiles(release: Release): Readonly<Record<string, string>> {
  return {
    // The way to Debian's mirror; the local package repository is reached directly.
    "/etc/apt/apt.conf.d/90lab": `Acquire::http::Proxy "http://${GATEWAY_IPV4}:${MIRROR_PORT}";\nAcquire::http::Proxy::${GATEWAY_IPV4} "DIRECT";\nAcquire::Languages "none";\n`,
    // The disk is thrown away: syncing it and unpacking manuals costs a third of an installation.
    "/etc/dpkg/dpkg.cfg.d/90lab":
      "force-unsafe-io\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/locale/*\n",
    // As a provider's image says where its user-data comes from. One host key is enough here: RSA takes seconds.
    "/etc/cloud/cloud.cfg.d/90lab.cfg":
      "datasource_list: [NoCloud, None]\nmanage_etc_hosts: true\nssh_genkeytypes: [ed25519]\n",
    // Nothing listens there: a name is refused at once, not after a time-out.
    "/etc/resolv.conf": `nameserver ${GATEWAY_IPV4}\n`,
    "/etc/apt/sources.list": `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${MIRROR} ${release} main\n`,
    "/etc/hostname": "localhost\n",
    ...RELEASES[release].files,
  };
}

/** ISO 8601 week of a day, as 2026-W48: images are made anew every week, so that they don't grow old. */
function isoWeek(day: Date): string {
  const thursday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 3 - ((thursday.getUTCDay() + 6) % 7));
  const year = thursday.getUTCFullYear();
  const week = Math.ceil(((thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7);
  return `${year}-W${String(week).padStart(2, "0")}`;
}

/** An image's directory: named for its recipe, so that a changed recipe is another image. */
function nameOf(kind: string, release: Release, parts: readonly unknown[]): string {
  const { network, service } = RELEASES[release];
  const recipe = JSON.stringify([BARE_PACKAGES, network, service, labFiles(release), MIRROR, ...parts]);
  const digest = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  return `${kind}-${isoWeek(new Date())}-${digest}`;
}

function writeLabFiles(root: string, release: Release): void {
  for (const [path, content] of Object.entries(labFiles(release))) {
    mkdirSync(`${root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    writeFileSync(`${root}${path}`, content);
  }
}

/** Runs a long command in namespaces of its own: all that it starts and mounts ends with it, and it with the lab. */
function contained(journal: Journal, command: string, args: readonly string[]): Promise<string> {
  const own = ["--mount", "--pid", "--mount-proc", "--fork", "--kill-child"];
  // Debian's own programs: a python3 of somebody's that comes first makes unpacking several times slower.
  const path = ["env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
  return run("unshare", [...own, ...path, command, ...args], {
    timeoutMs: 900_000,
    started: (pid) => journal.process(pid),
  });
}

async function makeBare(root: string, release: Release, proxy: string, journal: Journal): Promise<void> {
  // mmdebstrap copies its --aptopt and --dpkgopt into the image; the lab's own files replace them.
  await contained(journal, "mmdebstrap", [
    "--mode=root",
    "--variant=minbase",
    `--aptopt=Acquire::http::Proxy "${proxy}"`,
    "--aptopt=Acquire::Languages none",
    `--aptopt=${NO_EXPIRY}`,
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    `--include=${[...BARE_PACKAGES, ...RELEASES[release].network].join(",")}`,
    // Debian's cloud-init sets en_US.UTF-8, which a cloud server's image has.
    '--customize-hook=echo "en_US.UTF-8 UTF-8" >"$1/etc/locale.gen" && chroot "$1" locale-gen && chroot "$1" update-locale LANG=en_US.UTF-8',
    `--customize-hook=chroot "$1" systemctl enable ${RELEASES[release].service}`,
    '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$1"/etc/ssh/ssh_host_*',
    release,
    root,
    MIRROR,
  ]);
  writeLabFiles(root, release);
}

async function addPackages(
  layer: string,
  below: Image,
  system: { packages: readonly string[]; defaults: string },
  proxy: string,
  journal: Journal,
): Promise<void> {
  const merged = `${layer}.merged`;
  const work = `${layer}.work`;
  for (const folder of [layer, merged, work]) mkdirSync(folder, { recursive: true });
  journal.directory(work);
  journal.directory(merged);
  journal.mount(merged);
  await run("mount", [
    "-t",
    "overlay",
    "overlay",
    "-o",
    `lowerdir=${below.join(":")},upperdir=${layer},workdir=${work}`,
    merged,
  ]);
  const environment = ["env", "DEBIAN_FRONTEND=noninteractive"];
  const apt = (...args: string[]) =>
    contained(journal, "chroot", [
      ...[merged, ...environment, "apt-get", "-q", "-o", `Acquire::http::Proxy=${proxy}`],
      ...args,
    ]);
  // Starts no service while there is no systemd to start it.
  writeFileSync(`${merged}/usr/sbin/policy-rc.d`, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await apt("update");
  await apt("install", "-y", "--no-install-recommends", ...system.packages);
  await apt("clean");
  rmSync(`${merged}/usr/sbin/policy-rc.d`);
  for (const list of readdirSync(`${merged}/var/lib/apt/lists`)) {
    rmSync(`${merged}/var/lib/apt/lists/${list}`, { recursive: true });
  }
  appendFileSync(`${merged}/etc/default/docker`, system.defaults);
  await run("umount", [merged]);
  for (const folder of [merged, work]) rmSync(folder, { recursive: true });
}

/** The double of dockerd 29, by where each of its files is installed. */
function dockerdDouble(): Readonly<Record<string, string>> {
  const library = readdirSync(`${DOCKERD_DOUBLE}/lib`).filter((name) => name.endsWith(".py"));
  const sources = [
    ["/usr/sbin/dockerd", "dockerd"],
    ...library.map((name) => [`/usr/lib/dockerd-double/${name}`, `lib/${name}`]),
  ] as const;
  return Object.fromEntries(
    sources.map(([path, source]) => [path, readFileSync(`${DOCKERD_DOUBLE}/${source}`, "utf8")]),
  );
}

/** Puts the double in the place of the dockerd that the image below has, which moves to where the double looks for it. */
function addDockerdDouble(layer: string, below: Image, files: Readonly<Record<string, string>>): void {
  const dockerd = below.map((part) => `${part}/usr/sbin/dockerd`).find((path) => existsSync(path));
  if (dockerd === undefined) throw new Error("the image below the double of dockerd has no dockerd");
  mkdirSync(`${layer}/usr/libexec/docker-28`, { recursive: true });
  copyFileSync(dockerd, `${layer}/usr/libexec/docker-28/dockerd`);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(layer + path), { recursive: true });
    writeFileSync(layer + path, content, { mode: 0o755 });
  }
}

const KERNEL_PACKAGES = ["linux-image-cloud-amd64", "initramfs-tools", "zstd"];

/** Makes `final` by way of a directory beside it, so that an image that is there is whole. */
async function once(final: string, journal: Journal, make: (part: string) => Promise<void>): Promise<string> {
  if (existsSync(final)) return final;
  const part = `${final}.part-${process.pid}`;
  journal.directory(part);
  const started = Date.now();
  console.log(`boot lab: making ${final} (kept for this week)`);
  await make(part);
  if (existsSync(final)) rmSync(part, { recursive: true });
  else renameSync(part, final);
  console.log(`boot lab: made in ${Math.round((Date.now() - started) / 1000)} s`);
  return final;
}

/** Removes the images of past weeks (their name holds the week) and what an interrupted run left half made. */
function prune(images: string): void {
  for (const name of readdirSync(images)) {
    // Not its modification: a package sets that of the root directory.
    const age = Date.now() - statSync(`${images}/${name}`).ctimeMs;
    const limit = name.includes(".part-") ? 3_600_000 : 7 * 86_400_000;
    if (age > limit) rmSync(`${images}/${name}`, { recursive: true, force: true });
  }
}

/** The images of this week, each made when it is first asked for (a minute or two) and then kept. */
export class Images {
  readonly #journal: Journal;
  readonly #folder = `${CACHE}/images`;
  readonly #made = new Map<string, Promise<string>>();

  constructor(journal: Journal) {
    this.#journal = journal;
    mkdirSync(this.#folder, { recursive: true });
    prune(this.#folder);
  }

  /** Gives one image, made once however many ask for it. */
  async get(kind: ImageKind): Promise<Image> {
    const { release, docker } = SYSTEMS[kind];
    const bare = await this.#layer(nameOf(`bare-${release}`, release, []), (part, proxy) =>
      makeBare(part, release, proxy, this.#journal),
    );
    if (docker === undefined) return [bare];
    const packages = RELEASES[release].docker;
    const { defaults } = docker;
    const name = nameOf(`docker-${release}`, release, [packages, defaults]);
    const layer = await this.#layer(name, (part, proxy) =>
      addPackages(part, [bare], { packages, defaults }, proxy, this.#journal),
    );
    if (!docker.isDouble) return [layer, bare];
    const files = dockerdDouble();
    const double = await this.#layer(
      nameOf(`docker29-${release}`, release, [packages, defaults, files]),
      async (part) => addDockerdDouble(part, [layer, bare], files),
    );
    return [double, layer, bare];
  }

  /** One of bookworm's images with Debian's kernel and an initrd: for a machine that boots by itself. */
  async getWithKernel(kind: "bare" | "docker"): Promise<Image> {
    const below = await this.get(kind);
    const name = nameOf("kernel-bookworm", "bookworm", [KERNEL_PACKAGES, below]);
    const layer = await this.#layer(name, (part, proxy) =>
      addPackages(part, below, { packages: KERNEL_PACKAGES, defaults: "" }, proxy, this.#journal),
    );
    return [layer, ...below];
  }

  #layer(name: string, make: (part: string, proxy: string) => Promise<void>): Promise<string> {
    const layer =
      this.#made.get(name) ??
      once(`${this.#folder}/${name}`, this.#journal, (part) => withMirror((proxy) => make(part, proxy)));
    this.#made.set(name, layer);
    return layer;
  }
}

async function withMirror(use: (proxy: string) => Promise<void>): Promise<void> {
  const mirror = createAptMirror(`${CACHE}/packages`);
  await new Promise<void>((resolve, reject) => {
    mirror.once("error", reject);
    mirror.listen(0, "127.0.0.1", resolve);
  });
  try {
    await use(`http://127.0.0.1:${portOf(mirror.address())}`);
  } finally {
    mirror.closeAllConnections();
    mirror.close();
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the apt mirror is not listening");
  return address.port;
}
