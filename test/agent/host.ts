import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { leaseText } from "./leases.ts";
import { AGENT, lastingDirectory, type Run, runShell, type Shell } from "./shells.ts";

/** Commands that stand for those of a server. */
export const STUBS = fileURLToPath(new URL("./stubs", import.meta.url));
const NODE = "4e8d87c868";

/** docker.service as Debian ships it. */
export const DEBIAN_DOCKER = `[Unit]
Description=Docker Application Container Engine
[Service]
Type=notify
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
[Install]
WantedBy=multi-user.target
`;

/** Where servers are kept that have joined, by what they were before. */
const joined = new Map<string, string>();

/** All that is in a directory, as one hash: paths, modes and contents. */
function digest(directory: string): string {
  const hash = createHash("sha256");
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const described = entries.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const content = entry.isFile()
      ? readFileSync(path, "utf8")
      : entry.isSymbolicLink() && readlinkSync(path);
    return JSON.stringify([path.slice(directory.length), existsSync(path) && statSync(path).mode, content]);
  });
  for (const line of described.sort()) hash.update(`${line}\n`);
  return hash.digest("hex");
}

/** A server under a directory of its own: Debian 12 with ZeroTier and Docker, not in a mesh yet. */
export class Host {
  readonly root: string;
  readonly #directory: string;
  readonly #world: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.root = join(directory, "root");
    this.#world = join(directory, "world");
    const os = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n';
    this.write("/etc/os-release", os);
    this.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    this.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nDOCKER=distro\nLAYOUT=split\n");
    this.write("/etc/meshboot/key", `mbk_${"k".repeat(22)}\n`);
    for (const made of ["/run/systemd/system", "/etc/systemd/system", "/etc/sysctl.d"]) {
      mkdirSync(this.root + made, { recursive: true });
    }
    this.write("/dev/net/tun", "");
    this.write("/etc/ssl/certs/ca-certificates.crt", "");
    this.write("/var/lib/zerotier-one/identity.public", `${NODE}:0:${"ab".repeat(64)}`);
    this.write("/var/lib/zerotier-one/identity.secret", `${NODE}:0:${"ab".repeat(64)}:${"cd".repeat(64)}`);
    this.write("/lib/systemd/system/docker.service", DEBIAN_DOCKER);
    for (const key of [
      "net/ipv4/ip_forward",
      "net/ipv6/conf/all/forwarding",
      "net/ipv6/conf/default/forwarding",
    ]) {
      this.write(`/proc/sys/${key}`, "0\n");
    }
    this.write("/proc/sys/net/ipv6/conf/eth0/accept_ra", "1\n");
    this.write("/proc/uptime", "100.00 80.00\n");
    this.write("/proc/42/cmdline", "/usr/sbin/dockerd\0-H\0fd://\0");
    this.world({
      addresses:
        "1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet 203.0.113.5/24 brd 203.0.113.255 scope global eth0\n",
      routes:
        "default via 203.0.113.1 dev eth0\n203.0.113.0/24 dev eth0 proto kernel scope link src 203.0.113.5\n",
      routes6: "default via fe80::1 dev eth0 proto ra metric 1024 expires 1799sec pref medium\n",
      "mesh-routes": "",
      "zerotier-status": "OK",
      "zerotier-interface": "ztabcdefgh",
      "zerotier-info": `${NODE} 1.14.1 ONLINE`,
      addresses6: "7: ztabcdefgh    inet6 fc9c:56c2:e34e:8d87:c868::1/40 scope global\n",
      postrouting4: "-A POSTROUTING -s 172.28.233.0/25 ! -o docker0 -j MASQUERADE\n",
      postrouting6: "-A POSTROUTING -s fc9c:56c2:e34e:8d87:c868::/81 ! -o docker0 -j MASQUERADE\n",
      silent: "",
      "docker-version": "Docker version 20.10.24+dfsg1, build 297e128\n",
      "docker-pid": "42\n",
      docker0: "6: docker0    inet 172.17.0.1/16 scope global docker0\n",
      containers: "",
      listeners: `LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=700,fd=3))
LISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:* users:(("dnsmasq",pid=600,fd=7))
LISTEN 0 10 *:9993 *:* users:(("zerotier-one",pid=600,fd=7))
`,
      "live-restore": "false\n",
      "docker-networks": "",
      bridges: "",
      overlays: "",
      "docker-subnets": "",
      links: "",
      "ipv6-networks": "false\n",
      "docker-enabled": "enabled\n",
      headers: "HTTP/2 200\r\ndate: Tue, 24 Nov 2026 07:00:00 GMT\r\nretry-after: 7\r\n",
      answers: "200 lease\n",
      lease: leaseText(),
      calls: "",
      requests: "",
      proxies: "",
      boots: "",
      "boot-exit": "",
      ruleset: "",
      iptables: "",
      ip6tables: "",
    });
  }

  /** Writes a file of the server. */
  write(path: string, content: string): void {
    mkdirSync(dirname(this.root + path), { recursive: true });
    writeFileSync(this.root + path, content);
  }

  /** Puts a file back to what `read` gave. */
  put(path: string, content: string | undefined): void {
    if (content === undefined) rmSync(this.root + path);
    else this.write(path, content);
  }

  /** A file of the server; undefined where there is none. */
  read(path: string): string | undefined {
    return existsSync(this.root + path) ? readFileSync(this.root + path, "utf8") : undefined;
  }

  /** Makes it one of an image that has not booted yet: Docker is held back until there is a lease. */
  becomeImage(): this {
    for (const unit of ["docker.service", "docker.socket"]) {
      this.write(
        `/etc/systemd/system/${unit}.d/50-meshboot-image.conf`,
        "[Unit]\nConditionPathExists=|/etc/meshboot/dockerd.env\nConditionPathExists=|!/var/lib/meshboot/masked\n",
      );
    }
    return this.becomeMasked();
  }

  /** Makes it one whose Docker we hold back: it is installed, and was never started. */
  becomeMasked(): this {
    this.write("/var/lib/meshboot/masked", "");
    this.put("/proc/42/cmdline", undefined);
    return this;
  }

  /** Sets what the stub commands answer from. */
  world(files: Readonly<Record<string, string>>): void {
    mkdirSync(this.#world, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(this.#world, name), content);
  }

  /** What the stub commands wrote down: `calls`, `requests`, `proof`, or the state of a tool. */
  seen(name: string): string {
    const path = join(this.#world, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** The words of the running dockerd's command line, with a NUL behind each; undefined when it does not run. */
  dockerdCommand(): string | undefined {
    return this.read(`/proc/${this.seen("docker-pid").trim()}/cmdline`);
  }

  /** Runs the agent (or the program given) with the arguments. `waits`: see runShell. */
  run(
    shell: Shell,
    args: string,
    agent: string = AGENT,
    environment: Readonly<Record<string, string>> = {},
    waits = true,
  ): Run {
    // busybox prefers its own commands to those in PATH, but not to functions.
    const functions = readdirSync(STUBS)
      .filter((name) => /^[a-z0-9]+$/.test(name))
      .map((name) => `${name}() { '${STUBS}/${name}' "$@"; }`)
      // busybox's own has a child that holds the output for up to a second after the end: minutes, over all runs.
      .concat('timeout() { /usr/bin/timeout "$@"; }');
    const isBusybox = shell.command[0] === "busybox";
    const text = isBusybox
      ? `MESHBOOT_SOURCE=1 . '${agent}'\n${functions.join("\n")}\nmain ${args}`
      : `exec ${shell.command.join(" ")} '${agent}' ${args}`;
    const PATH = `${STUBS}:${process.env["PATH"] ?? "/usr/bin:/bin"}`;
    const env = { PATH, WORLD: this.#world, MESHBOOT_ROOT: this.root, ...environment };
    return runShell(shell, text, env, waits);
  }

  /**
   * Brings the server into the mesh by `up`, which must succeed. Of servers that were alike, the first one runs it, and the
   * others become copies of what that one was afterwards: a run takes seconds, and most tests begin with it.
   */
  join(shell: Shell): this {
    const before = `${shell.name} ${digest(this.#directory)}`;
    const kept = joined.get(before);
    if (kept !== undefined) {
      rmSync(this.#directory, { recursive: true });
      execFileSync("cp", ["-a", kept, this.#directory]);
      return this;
    }
    const { status, out, err } = this.run(shell, "up");
    if (status !== 0) throw new Error(`up ended with ${status}:\n${out}${err}`);
    const copy = join(lastingDirectory(), "server");
    execFileSync("cp", ["-a", this.#directory, copy]);
    joined.set(before, copy);
    return this;
  }

  /** Every file under /etc and /var with its mode and content, as one object that tests compare. */
  files(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const top of ["/etc", "/var", "/usr"].filter((path) => existsSync(this.root + path))) {
      for (const entry of readdirSync(this.root + top, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        const mode = (statSync(path).mode & 0o777).toString(8);
        found[path.slice(this.root.length)] = entry.isFile() ? `${mode} ${readFileSync(path, "utf8")}` : "";
      }
    }
    return found;
  }
}
