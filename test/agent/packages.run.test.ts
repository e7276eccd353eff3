// What the agent makes of apt: a real one, that of the machine which tests, below the root of a server.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AptHost, Repository } from "./apt-host.ts";
import { available, SHELLS, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const [shell] = SHELLS;
const hasApt = ["apt-get", "apt-cache", "dpkg", "dpkg-deb"]
  .map((tool) => available(tool, ["--version"], "the agent is not tested with a real apt"))
  .every(Boolean);

const CONTAINERD_IO = [
  "Provides: containerd, runc",
  "Conflicts: containerd, runc",
  "Replaces: containerd, runc",
];

/** A server with ZeroTier, whose distribution has Docker's packages, like the real ones in what they need. */
function withServer(use: (host: AptHost, directory: string) => void): void {
  withDirectory((directory) => {
    const host = new AptHost(directory).have("zerotier-one");
    const { distribution } = host;
    distribution.add("runc", "1.1.5");
    distribution.add("containerd", "1.6.20");
    distribution.add(
      "docker.io",
      "20.10.24",
      "Depends: containerd (>= 1.4~), runc",
      "Conflicts: docker-ce-cli",
    );
    distribution.add("apparmor", "3.0");
    use(host, directory);
  });
}

function up(host: AptHost) {
  if (shell === undefined) throw new Error("no shell to run the agent in");
  return host.meshboot(shell, "up");
}

const masks = (host: AptHost) => readdirSync(`${host.root}/run/systemd/system`);
const routes = (host: AptHost) => host.seen("mesh-routes").trim().split("\n");
const hold = (host: AptHost, name: string) =>
  host.write(
    "/var/lib/dpkg/status",
    (host.read("/var/lib/dpkg/status") ?? "").replace(
      new RegExp(`(Package: ${name}\nStatus: )install`),
      "$1hold",
    ),
  );

describe.runIf(hasApt)("what is installed already", PATIENCE, () => {
  it("lets what is missing be installed beside it", () => {
    withServer((host) => {
      expect(up(host)).toMatchObject({ status: 0, err: "" });
      expect(host.installed()).toEqual([
        "apparmor 3.0",
        "containerd 1.6.20",
        "docker.io 20.10.24",
        "runc 1.1.5",
      ]);
    });
  });

  it.each([
    ["a node of Kubernetes", () => undefined],
    ["one whose containerd.io is held", (host: AptHost) => hold(host, "containerd.io")],
  ])("stays, and is named: containerd.io of %s, and DOCKER=distro", (_, prepare) => {
    withServer((host, directory) => {
      const docker = new Repository(join(directory, "docker"));
      host.install(docker.add("containerd.io", "1.7.27", ...CONTAINERD_IO));
      prepare(host);
      const before = host.installed();
      const { status, err } = up(host);
      expect(status, err).toBe(3);
      expect(err).toMatch(/docker: refused: docker\.io apparmor cannot go .*containerd\.io/);
      expect(err).toMatch(/DOCKER=official .*DOCKER=present/);
      expect(err).not.toContain("tries again");
      expect(host.installed()).toEqual(before);
      expect(routes(host)).toHaveLength(238);
      expect(masks(host)).toEqual([]);
      expect(host.read("/var/lib/meshboot/installing")).toBeUndefined();
      expect(host.read("/var/lib/meshboot/masked")).toBeUndefined();
    });
  });

  it.each([
    [
      "the distribution's containerd and DOCKER=official",
      "official",
      ["runc", "containerd"],
      "DOCKER=distro",
    ],
    ["Docker's command and DOCKER=distro", "distro", ["docker-ce-cli"], "DOCKER=official"],
  ])("stays, and is named: %s", (_, docker, names, choice) => {
    withServer((host, directory) => {
      const { distribution } = host;
      distribution.add("containerd.io", "1.7.27", ...CONTAINERD_IO);
      distribution.add("docker-ce-cli", "27.0", "Conflicts: docker.io");
      distribution.add("docker-ce", "27.0", "Depends: containerd.io (>= 1.6.24), docker-ce-cli");
      const others = new Repository(join(directory, "others"));
      host.install(...names.map((name) => others.add(name, "1.0")));
      host.write("/etc/meshboot/meshboot.conf", `URL=https://mesh.example.com\nDOCKER=${docker}\n`);
      const before = host.installed();
      const { status, err } = up(host);
      expect(status, err).toBe(3);
      expect(err).toMatch(new RegExp(`docker: refused: .*${names[0]}`));
      expect(err).toContain(choice);
      expect(host.installed()).toEqual(before);
    });
  });

  it("is not upgraded where Docker's own packages go with it", () => {
    withServer((host) => {
      const { distribution } = host;
      const containerd = distribution.add("containerd.io", "1.7.27", ...CONTAINERD_IO);
      distribution.add("containerd.io", "2.1.0", ...CONTAINERD_IO);
      distribution.add("docker-ce-cli", "27.0");
      distribution.add("docker-ce", "27.0", "Depends: containerd.io (>= 1.6.24), docker-ce-cli");
      host.install(containerd);
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nDOCKER=official\n");
      expect(up(host)).toMatchObject({ status: 0, err: "" });
      expect(host.installed()).toEqual([
        "apparmor 3.0",
        "containerd.io 1.7.27",
        "docker-ce 27.0",
        "docker-ce-cli 27.0",
      ]);
    });
  });
});

describe.runIf(hasApt)("Compose", PATIENCE, () => {
  it("is that of the Docker which is there", () => {
    withServer((host) => {
      const { distribution } = host;
      host.have("dockerd").install(distribution.add("docker-ce", "27.0"));
      distribution.add("docker-compose", "1.29");
      distribution.add("docker-compose-plugin", "2.40");
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nDOCKER=distro\nCOMPOSE=on\n");
      const { status, err } = up(host);
      expect(status, err).toBe(0);
      expect(host.installed()).toEqual(["docker-ce 27.0", "docker-compose-plugin 2.40"]);
    });
  });
});

describe.runIf(hasApt)("a package source that is dead", PATIENCE, () => {
  const DEAD = "deb file:/nothing/here bookworm main\n";

  it("keeps nobody out, and is told in apt's words", () => {
    withServer((host) => {
      host.write("/etc/apt/sources.list.d/dead.list", DEAD);
      const { status, err } = up(host);
      expect(status, err).toBe(0);
      expect(err).toMatch(
        /apt-get update: E: .*file:\/nothing\/here.*Goes on with the lists that are there\n$/,
      );
      expect(err.match(/Goes on/g)).toHaveLength(1);
      expect(host.installed()).toContain("docker.io 20.10.24");
    });
  });

  it("is named where a package is not to be had", () => {
    withDirectory((directory) => {
      const host = new AptHost(directory).have("zerotier-one");
      host.write("/etc/apt/sources.list.d/dead.list", DEAD);
      const { status, err } = up(host);
      expect(status, err).toBe(1);
      expect(err).toMatch(/failed: apt-get install: E: .*docker\.io.* apt-get update: E: .*\/nothing\/here/);
    });
  });
});

describe.runIf(hasApt)("a package source for ZeroTier that is there already", PATIENCE, () => {
  const OURS = "/etc/apt/sources.list.d/meshboot-zerotier.list";
  const KEY = "/usr/share/keyrings/meshboot-zerotier.asc";
  let server: ChildProcess;
  let at = "";

  // As a process of its own: the agent's runs hold this one up.
  beforeAll(async () => {
    const script = `const { createServer } = require("node:http"), { createReadStream, existsSync } = require("node:fs");
      const server = createServer(({ url }, response) => {
        const file = decodeURIComponent(url);
        if (!existsSync(file)) return response.writeHead(404).end();
        createReadStream(file).on("error", () => response.destroy()).pipe(response);
      });
      server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;
    server = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const [port] = await once(server.stdout ?? server, "data");
    at = `http://127.0.0.1:${String(port).trim()}`;
  });
  afterAll(() => server.kill());

  /** A server whose distribution has no ZeroTier; `archive` is ZeroTier's own, as the setting names it. */
  function withArchive(use: (host: AptHost, archive: string) => void): void {
    withDirectory((directory) => {
      const host = new AptHost(directory);
      const repository = new Repository(join(directory, "zerotier/debian/bookworm"), "bookworm");
      repository.add("zerotier-one", "1.14.1");
      const archive = `${at}${directory}/zerotier`;
      host.write(
        "/etc/meshboot/meshboot.conf",
        `URL=https://mesh.example.com\nDOCKER=present\nZEROTIER_REPOSITORY=${archive}\n`,
      );
      use(host, archive);
    });
  }

  const acceptUnsigned = (host: AptHost) =>
    host.write(
      "/etc/apt/apt.conf.d/90test",
      'APT::Get::AllowUnauthenticated "true";\nAcquire::AllowInsecureRepositories "true";\n',
    );

  it.each([
    [
      "in one line",
      "zerotier.list",
      (archive: string) =>
        `deb [arch=all,amd64,arm64 signed-by=/usr/share/keyrings/zerotier.gpg trusted=yes] ${archive}/debian/bookworm/ bookworm main\n`,
    ],
    [
      "in stanzas",
      "zerotier.sources",
      (archive: string) =>
        `Types: deb\nURIs: file:/nothing/here ${archive}/debian/bookworm/\nSuites: bookworm\nComponents: main\nSigned-By: /usr/share/keyrings/zerotier.gpg\nTrusted: yes\n`,
    ],
  ])("is used: %s", (_, file, text) => {
    withArchive((host, archive) => {
      host.write(`/etc/apt/sources.list.d/${file}`, text(archive));
      const { status, err } = up(host);
      expect(status, err).toBe(0);
      expect(host.read(OURS)).toBeUndefined();
      expect(host.installed()).toEqual(["zerotier-one 1.14.1"]);
      expect(host.aptFault()).toBe("");
    });
  });

  it("and is switched off is no source", () => {
    withArchive((host, archive) => {
      const uri = `${archive}/debian/bookworm`;
      host.write(
        "/etc/apt/sources.list.d/zerotier.sources",
        `Enabled: no\nTypes: deb\nURIs: ${uri}\nSuites: bookworm\nComponents: main\nSigned-By: /usr/share/keyrings/zerotier.gpg\n`,
      );
      host.write("/etc/apt/sources.list.d/zerotier.list", `# deb ${uri} bookworm main\n`);
      acceptUnsigned(host);
      const { status, err } = up(host);
      expect(status, err).toBe(0);
      expect(host.read(OURS)).toContain(`signed-by=${KEY}] ${uri} bookworm main`);
      expect(host.installed()).toEqual(["zerotier-one 1.14.1"]);
    });
  });

  it("and does not work is named, and ours is taken back", () => {
    withArchive((host, archive) => {
      // No such key and not trusted: apt takes nothing from there.
      const theirs = `deb [signed-by=/usr/share/keyrings/gone.gpg] ${archive}/debian/bookworm bookworm main\n`;
      host.write("/etc/apt/sources.list.d/zerotier.list", theirs);
      const { status, err } = up(host);
      expect(status, err).toBe(1);
      expect(err).toMatch(/failed: .*\/etc\/apt\/sources\.list\.d\/zerotier\.list.* apt-get update: /);
      expect(host.read(OURS)).toBeUndefined();
      expect(host.read(KEY)).toBeUndefined();
      expect(host.aptFault()).toBe("");
    });
  });

  it.each([
    ["http", "Signed-By", ""],
    ["https", "Signed-By", ""],
    ["http", "Trusted", " trusted=yes"],
  ])("and came after ours is the one that stays: %s, other %s", (scheme, option, trusted) => {
    withArchive((host, archive) => {
      // As an agent before left it: installed nothing, and broke apt.
      const uri = `${archive}/debian/bookworm`;
      host.write(OURS, `deb [signed-by=${KEY}] ${uri.replace("http", scheme)} bookworm main\n`);
      host.write(KEY, "key");
      host.write(
        "/etc/apt/sources.list.d/zerotier.list",
        `deb [signed-by=/usr/share/keyrings/zerotier.gpg${trusted}] ${uri} bookworm main\n`,
      );
      acceptUnsigned(host);
      expect(host.aptFault()).toContain(`Conflicting values set for option ${option}`);
      const { status, err, out } = up(host);
      expect(status, err).toBe(0);
      expect(out).toContain("takes back /etc/apt/sources.list.d/meshboot-zerotier.list: apt refuses it");
      expect(host.aptFault()).toBe("");
      expect(existsSync(host.root + OURS)).toBe(false);
      expect(host.installed()).toEqual(["zerotier-one 1.14.1"]);
    });
  });
});
