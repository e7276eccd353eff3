import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import type { Journal } from "./journal.ts";
import { WIRE } from "./topology.ts";

const DOUBLE = join(import.meta.dirname, "zerotier-double");
const CODENAME = "bookworm";
const ARMORED_KEY = "contact@zerotier.com.gpg";
const SIGNER = "ZeroTier test double <tests@meshboot.invalid>";

/** Where the double's files go on a system. */
const INSTALLED: Readonly<Record<string, { folder: string; mode: number }>> = {
  "zerotier-one": { folder: "usr/sbin", mode: 0o755 },
  "zerotier-cli": { folder: "usr/sbin", mode: 0o755 },
  "zerotier-idtool": { folder: "usr/sbin", mode: 0o755 },
};

/** Whom the double asks. */
export interface Peers {
  /** The base URL of the simulated Central. */
  readonly central: string;
  /** The address of Central's controller, with which the ids of its networks begin. */
  readonly centralController: string;
  /** `address:port` of the root, which knows where all other controllers are. */
  readonly root: string;
}

async function buildPackage(tree: string, deb: string, peers: Peers): Promise<void> {
  const put = (from: string, to: string, mode: number) => {
    mkdirSync(join(tree, to, ".."), { recursive: true, mode: 0o755 });
    cpSync(from, join(tree, to));
    return run("chmod", [mode.toString(8), join(tree, to)]);
  };
  for (const name of readdirSync(`${DOUBLE}/DEBIAN`)) {
    const isScript = name.startsWith("p");
    await put(`${DOUBLE}/DEBIAN/${name}`, `DEBIAN/${name}`, isScript ? 0o755 : 0o644);
  }
  for (const name of readdirSync(`${DOUBLE}/lib`).filter((file) => file !== "__pycache__")) {
    const place = INSTALLED[name] ?? { folder: "usr/lib/zerotier-double", mode: 0o644 };
    await put(`${DOUBLE}/lib/${name}`, `${place.folder}/${name}`, place.mode);
  }
  await put(`${DOUBLE}/zerotier-one.service`, "lib/systemd/system/zerotier-one.service", 0o644);
  mkdirSync(`${tree}/etc`, { recursive: true });
  mkdirSync(`${tree}/var/lib/zerotier-one`, { recursive: true, mode: 0o755 });
  const conf = {
    CENTRAL: peers.central,
    CENTRAL_CONTROLLER: peers.centralController,
    ROOT: peers.root,
    WIRE,
  };
  const lines = Object.entries(conf).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(`${tree}/etc/zerotier-double.conf`, lines.join(""), { mode: 0o644 });
  await run("dpkg-deb", ["--root-owner-group", "--build", tree, deb]);
}

/** The repository as servers reach it; `directory`: its files on this machine. */
export interface PackageRepository {
  readonly url: string;
  readonly fingerprint: string;
  readonly directory: string;
}

/** Gives a server that is off ZeroTier's own package source, as its owner may have added it: its agent then adds none. */
export async function addZerotierSource(root: string, { url, directory }: PackageRepository): Promise<void> {
  const key = "/usr/share/keyrings/zerotier-debian-package-key.gpg";
  const dearmor = ["--batch", "--quiet", "--dearmor", "--output", `${root}${key}`];
  await run("gpg", [...dearmor, `${directory}/${ARMORED_KEY}`]);
  writeFileSync(
    `${root}/etc/apt/sources.list.d/zerotier.list`,
    `deb [signed-by=${key}] ${url}/debian/${CODENAME} ${CODENAME} main\n`,
  );
}

/**
 * Builds the test double's package and an apt repository with it, laid out as ZeroTier's and signed with a key made
 * for it here: `<directory>/contact@zerotier.com.gpg` (armored, as the real one) and `<directory>/debian/<codename>`.
 * Gives the key's fingerprint.
 */
export async function makePackageRepository(
  directory: string,
  scratch: string,
  peers: Peers,
  journal: Journal,
): Promise<{ fingerprint: string }> {
  const repository = `${directory}/debian/${CODENAME}`;
  const pool = "pool/main/z/zerotier-one";
  const dist = `dists/${CODENAME}`;
  mkdirSync(`${repository}/${pool}`, { recursive: true });
  await buildPackage(`${scratch}/package`, `${repository}/${pool}/zerotier-one_1.14.1_all.deb`, peers);

  const architecture = (await run("dpkg", ["--print-architecture"])).trim();
  const binary = `${dist}/main/binary-${architecture}`;
  mkdirSync(`${repository}/${binary}`, { recursive: true });
  const inRepository = (script: string) => run("sh", ["-ec", `cd "$1"\n${script}`, "sh", repository]);
  await inRepository(`apt-ftparchive packages pool >${binary}/Packages`);
  const release = ["Origin=ZeroTier", "Label=ZeroTier", `Suite=${CODENAME}`, `Codename=${CODENAME}`]
    .concat(`Architectures=${architecture}`, "Components=main")
    .map((setting) => `-o APT::FTPArchive::Release::${setting}`)
    .join(" ");
  await inRepository(
    `apt-ftparchive ${release} release ${dist} >${dist}/Release.new && mv ${dist}/Release.new ${dist}/Release`,
  );

  const home = `${scratch}/gpg`;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  journal.agent(home);
  const gpg = (...args: string[]) =>
    run("gpg", ["--homedir", home, "--batch", "--quiet", "--passphrase", "", ...args]);
  await gpg("--quick-generate-key", SIGNER, "rsa3072", "sign", "never");
  await gpg("--clearsign", "--output", `${repository}/${dist}/InRelease`, `${repository}/${dist}/Release`);
  writeFileSync(`${directory}/${ARMORED_KEY}`, await gpg("--armor", "--export"));
  const listing = await gpg("--with-colons", "--list-keys");
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1];
  if (fingerprint === undefined) throw new Error(`gpg shows no fingerprint:\n${listing}`);
  return { fingerprint };
}
