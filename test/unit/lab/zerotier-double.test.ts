// The double of zerotier-one: the files of a network and what its service makes of them, as the real one was seen to.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { available } from "../../agent/shells.ts";

const LIB = fileURLToPath(new URL("../../lab/zerotier-double/lib", import.meta.url));
const NETWORK = "8056c2e21c000001";
const hasPython = available("python3", ["--version"], "the double of zerotier-one is not looked at");

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("SKIPPED: not root, nobody is kept from writing");

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "zerotier-double-"));
});
afterEach(() => rmSync(home, { recursive: true }));

/** A member of the network with an interface that only remembers what it is told, and ANSWER, the controller's. */
const MEMBER = `import home, interface, json
home.HOME = sys.argv[1]
class Interface:
    def __init__(self, *_): self.device, self.told = "ztabcdefgh", []
    def sync(self, addresses, routes, allowed): self.told = addresses
    def set_mtu(self, mtu): self.told = [*self.told, mtu]
interface.Interface = Interface
from membership import Membership
def start(): return Membership("wire0", "${NETWORK}", "4e8d87c868")
def answer(status, revision=1, mtu=2800): return json.dumps({"status": status, "name": "our = mesh", "mac": "", "mtu": mtu, "netconfRevision": revision,
    "assignedAddresses": ["fc9c:56c2:e34e:8d87:c868::1/40", "10.147.17.3/24"] if status == "OK" else [], "routes": [], "revoked": []})
`;

/** Runs Python text with the double's modules at hand, and gives what it prints, line by line. */
function python(text: string): { lines: string[]; err: string } {
  const head = `import sys\nsys.path.insert(0, ${JSON.stringify(LIB)})\nsys.dont_write_bytecode = True\n`;
  const { stdout, stderr } = spawnSync("python3", ["-I", "-c", head + text, home], { encoding: "utf8" });
  return { lines: stdout.trimEnd().split("\n"), err: stderr };
}

const file = (name: string) => readFileSync(join(home, "networks.d", name), "utf8");

describe.runIf(hasPython)("the double of zerotier-one", { timeout: 60_000 }, () => {
  it("has a line feed of a network that it has joined, then a dictionary, from which it starts again", () => {
    expect(python(`${MEMBER}start()`).err).toBe("");
    expect(file(`${NETWORK}.conf`)).toBe("\n");
    expect(python(`${MEMBER}start().apply(answer("OK"))`).err).toBe("");
    expect(file(`${NETWORK}.conf`)).toMatch(
      new RegExp(`^v=7\\nnwid=${NETWORK}\\nC=\\{.*"our \\\\e mesh".*\\}\\n$`),
    );
    const { lines } = python(`${MEMBER}member = start()\nprint(member.status, member.config["name"])`);
    expect(lines).toEqual(["OK our = mesh"]);
  });

  it("keeps addresses and configuration when it is shut out", () => {
    const text = `${MEMBER}member = start()
for said in answer("OK"), answer("ACCESS_DENIED"): member.apply(said)
print(member.status, member.interface.told, member.describe()["assignedAddresses"][0])
member.apply(answer("OK", 2, 1400))
print(member.status, member.describe()["mtu"], len(member.describe()["multicastSubscriptions"]))`;
    expect(python(text).lines).toEqual([
      "ACCESS_DENIED ['fc9c:56c2:e34e:8d87:c868::1/40', '10.147.17.3/24'] fc9c:56c2:e34e:8d87:c868::1/40",
      "OK 1400 2",
    ]);
  });

  it.runIf(isRoot)(
    "says in one line what it cannot write in a folder of root's, goes on, and has forgotten the network at its next start",
    () => {
      mkdirSync(join(home, "networks.d"));
      chmodSync(home, 0o755);
      const text = `${MEMBER}import os
os.setuid(65534)
member = start()
member.apply(answer("OK"))
print(member.status)`;
      const { lines, err } = python(text);
      expect(lines).toEqual(["OK"]);
      expect(err).toMatch(/^(?:WARNING: unable to write to \S+\.conf: Permission denied\n){2}$/);
      expect(readdirSync(join(home, "networks.d"))).toEqual([]);
    },
  );

  it("loses a list of prefixes when it writes what a network may set, and heeds it until then", () => {
    const text = `${MEMBER}home.write("networks.d/${NETWORK}.local.conf", "allowManaged=10.147.17.0/24,172.28.0.0/16\\nallowGlobal=0\\n")
member = start()
print(len(member.settings.whitelist))
member.settings.write()`;
    expect(python(text).lines).toEqual(["2"]);
    expect(file(`${NETWORK}.local.conf`)).toBe("allowManaged=1\nallowGlobal=0\nallowDefault=0\nallowDNS=0\n");
  });

  it("keeps off the interfaces and ranges that local.conf names", () => {
    const text = `from transport import is_kept_off
conf = {"settings": {"interfacePrefixBlacklist": ["docker", "br-"]}, "physical": {"172.28.0.0/16": {"blacklist": True}, "10.0.0.0/8": {"trustedPathId": 1}}}
for device, address in ("docker0", "192.0.2.1"), ("web0", "172.28.233.1"), ("eth0", "10.1.2.3"), ("eth0", "2001:db8::1"):
    print(is_kept_off(device, address, conf))`;
    expect(python(text).lines).toEqual(["True", "True", "False", "False"]);
  });
});
