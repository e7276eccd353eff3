import { accessSync, constants, existsSync, readFileSync } from "node:fs";

/** Each program that the lab runs, and the Debian package that has it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  mmdebstrap: "mmdebstrap",
  "systemd-nspawn": "systemd-container",
  busybox: "busybox-static",
  ip: "iproute2",
  ping: "iputils-ping",
  "dpkg-deb": "dpkg",
  gpg: "gpg",
  gpgconf: "gpgconf",
  "apt-ftparchive": "apt-utils",
  nsenter: "util-linux",
  mount: "mount",
  sysctl: "procps",
  openssl: "openssl",
  "/usr/bin/python3": "python3",
  radvd: "radvd",
};

function isInstalled(program: string): boolean {
  if (program.startsWith("/")) return existsSync(program);
  const folders = (process.env["PATH"] ?? "").split(":").concat("/usr/sbin", "/sbin");
  return folders.some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Rejects, naming everything that this machine lacks to boot guests and how to get it, before anything is made. */
export function checkRequirements(): void {
  const faults: string[] = [];
  if (process.platform !== "linux") faults.push("these tests boot Linux servers: run them on Linux");
  else if (process.getuid?.() !== 0)
    faults.push("these tests make network namespaces and mounts: run them as root");
  const missing = Object.entries(PROGRAMS).filter(([program]) => !isInstalled(program));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
    const programs = missing.map(([program]) => program).join(", ");
    faults.push(`not installed: ${programs}. Run: apt-get install --no-install-recommends ${packages}`);
  }
  if (faults.length === 0 && !readFileSync("/proc/self/mounts", "utf8").includes(" cgroup2 ")) {
    faults.push("no cgroup2 file system is mounted below /sys/fs/cgroup: the guests' systemd needs one");
  }
  if (faults.length > 0) throw new Error(`The boot tests cannot run here:\n- ${faults.join("\n- ")}`);
}
