import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { createAptMirror } from "./apt-mirror.ts";
import { run } from "./command.ts";
import type { Journal } from "./journal.ts";
import { GATEWAY_IPV4, MIRROR_PORT } from "./topology.ts";

/** Which system a guest starts from: a bare Debian cloud server, or one on which Docker runs already. */
export const IMAGE_KINDS = ["bare", "docker"] as const;

/** One of IMAGE_KINDS. */
export type ImageKind = (typeof IMAGE_KINDS)[number];

/** The directories of an image, uppermost first, as overlayfs takes them for `lowerdir`. Never written to. */
export type Image = readonly string[];

/** Where images and packages are kept between runs. */
export const CACHE = process.env["MESHBOOT_LAB_CACHE"] ?? "/var/cache/meshboot-lab";

const MIRROR = "http://deb.debian.org/debian";
const RELEASE = "bookworm";

/** What a Debian cloud server has on it before anyone has touched it, less what no test here looks at. */
const BARE_PACKAGES = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "udev",
  "cloud-init",
  "ifupdown",
  "isc-dhcp-client",
  "iproute2",
  "netbase",
  "procps",
  "kmod",
  "curl",
  "ca-certificates",
  "locales",
  "openssh-server",
  "sudo",
];

/** As `apt-get install docker.io` brings them on a real server; its other recommendations are large and unused here. */
const DOCKER_PACKAGES = ["docker.io", "apparmor"];

/** What the lab itself puts into an image, by path: none of it is Meshboot's. */
const FILES: Readonly<Record<string, string>> = {
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
  "/etc/apt/sources.list": `deb ${MIRROR} ${RELEASE} main\n`,
  "/etc/hostname": "localhost\n",
};

/** The operator's own option on the `docker` image, which must still be in force when Meshboot has been there. */
export const OPERATORS_LABEL = "rack=7";

/** ISO 8601 week of a day, as 2026-W48: images are made anew every week, so that they don't grow old. */
function isoWeek(day: Date): string {
  const thursday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 3 - ((thursday.getUTCDay() + 6) % 7));
  const year = thursday.getUTCFullYear();
  const week = Math.ceil(((thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7);
  return `${year}-W${String(week).padStart(2, "0")}`;
}

function keyOf(parts: readonly unknown[]): string {
  const recipe = JSON.stringify([parts, FILES, MIRROR, RELEASE]);
  return `${isoWeek(new Date())}-${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`;
}

function writeLabFiles(root: string): void {
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(`${root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    writeFileSync(`${root}${path}`, content);
  }
}

/** Runs a long command in namespaces of its own: all that it starts and mounts ends with it, and it with the lab. */
function contained(journal: Journal, command: string, args: readonly string[]): Promise<string> {
  const own = ["--mount", "--pid", "--mount-proc", "--fork", "--kill-child"];
  return run("unshare", [...own, command, ...args], {
    timeoutMs: 900_000,
    started: (pid) => journal.process(pid),
  });
}

async function makeBare(root: string, proxy: string, journal: Journal): Promise<void> {
  // mmdebstrap copies its --aptopt and --dpkgopt into the image; the lab's own files replace them.
  await contained(journal, "mmdebstrap", [
    "--mode=root",
    "--variant=minbase",
    `--aptopt=Acquire::http::Proxy "${proxy}"`,
    "--aptopt=Acquire::Languages none",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    `--include=${BARE_PACKAGES.join(",")}`,
    // Debian's cloud-init sets en_US.UTF-8, which a cloud server's image has.
    '--customize-hook=echo "en_US.UTF-8 UTF-8" >"$1/etc/locale.gen" && chroot "$1" locale-gen && chroot "$1" update-locale LANG=en_US.UTF-8',
    '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$1"/etc/ssh/ssh_host_*',
    RELEASE,
    root,
    MIRROR,
  ]);
  writeLabFiles(root);
}

async function makeDocker(layer: string, bare: string, proxy: string, journal: Journal): Promise<void> {
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
    `lowerdir=${bare},upperdir=${layer},workdir=${work}`,
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
  await apt("install", "-y", "--no-install-recommends", ...DOCKER_PACKAGES);
  await apt("clean");
  rmSync(`${merged}/usr/sbin/policy-rc.d`);
  for (const list of readdirSync(`${merged}/var/lib/apt/lists`)) {
    rmSync(`${merged}/var/lib/apt/lists/${list}`, { recursive: true });
  }
  appendFileSync(`${merged}/etc/default/docker`, `DOCKER_OPTS="--label=${OPERATORS_LABEL}"\n`);
  await run("umount", [merged]);
  for (const folder of [merged, work]) rmSync(folder, { recursive: true });
}

/** Makes `final` by way of a directory beside it, so that an image that is there is whole. */
async function once(final: string, journal: Journal, make: (part: string) => Promise<void>): Promise<void> {
  if (existsSync(final)) return;
  const part = `${final}.part-${process.pid}`;
  journal.directory(part);
  const started = Date.now();
  console.log(`boot lab: making ${final} (kept for this week)`);
  await make(part);
  if (existsSync(final)) rmSync(part, { recursive: true });
  else renameSync(part, final);
  console.log(`boot lab: made in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Removes the images of past weeks and whatever an interrupted run left half made. */
function prune(images: string, current: ReadonlySet<string>): void {
  for (const name of readdirSync(images)) {
    const age = Date.now() - statSync(`${images}/${name}`).mtimeMs;
    const limit = name.includes(".part-") ? 3_600_000 : 7 * 86_400_000;
    if (!current.has(name) && age > limit) rmSync(`${images}/${name}`, { recursive: true, force: true });
  }
}

/** Gives both images, made first when this machine has none of this week (about two minutes). */
export async function makeImages(journal: Journal): Promise<Readonly<Record<ImageKind, Image>>> {
  const images = `${CACHE}/images`;
  mkdirSync(images, { recursive: true });
  const bareName = `bare-${keyOf(BARE_PACKAGES)}`;
  const dockerName = `docker-${keyOf([BARE_PACKAGES, DOCKER_PACKAGES, OPERATORS_LABEL])}`;
  prune(images, new Set([bareName, dockerName]));
  const bare = `${images}/${bareName}`;
  const docker = `${images}/${dockerName}`;
  if (!existsSync(bare) || !existsSync(docker)) {
    const mirror = createAptMirror(`${CACHE}/packages`);
    await new Promise<void>((resolve, reject) => {
      mirror.once("error", reject);
      mirror.listen(0, "127.0.0.1", resolve);
    });
    const proxy = `http://127.0.0.1:${portOf(mirror.address())}`;
    try {
      await once(bare, journal, (part) => makeBare(part, proxy, journal));
      await once(docker, journal, (part) => makeDocker(part, bare, proxy, journal));
    } finally {
      mirror.closeAllConnections();
      mirror.close();
    }
  }
  return { bare: [bare], docker: [docker, bare] };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the apt mirror is not listening");
  return address.port;
}
