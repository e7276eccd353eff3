// The double of dockerd 29, as far as it can be seen without a server.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { available } from "../../agent/shells.ts";

const LIB = fileURLToPath(new URL("../../lab/dockerd-double/lib", import.meta.url));
const hasPython = available("python3", ["--version"], "the double of dockerd 29 is not looked at");

/** Runs Python text with the double's modules at hand. */
function python(text: string, input = ""): { out: string; err: string } {
  const head = `import json, sys\nsys.path.insert(0, ${JSON.stringify(LIB)})\nsys.dont_write_bytecode = True\n`;
  const { stdout, stderr } = spawnSync("python3", ["-I", "-c", head + text], { encoding: "utf8", input });
  return { out: stdout, err: stderr };
}

const settings = (file: object, flags: readonly string[]) => `import settings
settings.DAEMON_JSON = settings.OWN_JSON = "/nonexistent"
told = settings.Settings(${JSON.stringify(flags)})
told.file = json.loads(${JSON.stringify(JSON.stringify(file))})
`;

it.runIf(hasPython)("does not start with a directive in both places, whatever its value", () => {
  const text = `${settings({ "allow-direct-routing": true }, ["--allow-direct-routing"])}told.check()`;
  expect(python(text).err).toContain(
    "specified both as a flag and in the configuration file: allow-direct-routing: (from flag: true, from file: true)",
  );
});

it.runIf(hasPython)("keeps the rules of a family that it is told to keep out of", () => {
  const text = `${settings({ iptables: false }, ["--ip6tables"])}print(told.families, told.backend)`;
  expect(python(text).out).toBe("['ip6'] iptables\n");
});

it.runIf(hasPython)("takes its own chains, jumps and rules out of iptables, and nobody else's", () => {
  const saved = `*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 172.28.1.0/24 -i zt0 -j ACCEPT
-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A FORWARD -i zt0 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-USER -i zt0 -j ACCEPT
COMMIT
*nat
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE
COMMIT
`;
  expect(python("import iptables\nprint(iptables.batch(sys.stdin.read()), end='')", saved).out).toBe(`*raw
-D PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
COMMIT
*filter
-D FORWARD -j DOCKER-USER
-D FORWARD -j DOCKER-FORWARD
-F DOCKER
-X DOCKER
COMMIT
*nat
-D POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
`);
});

it.runIf(hasPython)(
  "drops what comes straight to a container, or with --allow-direct-routing what is not published",
  () => {
    const direct = ["--allow-direct-routing", "--bridge-accept-fwmark=0x1/0x1"];
    const [closed = "", open = ""] = python(`${settings({}, [])}import tables
from networks import Bridge, Container, Port
ports = (Port("tcp", 80, "127.0.0.1", 8080),)
bridges = [Bridge("docker0", "172.17.0.0/16", "nat", False, [Container("172.17.0.2", ports)])]
for told in told, settings.Settings(${JSON.stringify(direct)}):
    print(tables.text("ip", bridges, told), end="---\\n")`).out.split("---\n");
    const straight = 'ip daddr 172.17.0.2 iifname != "docker0" counter drop comment "DROP DIRECT ACCESS"';
    expect(closed).toContain(straight);
    expect(closed).not.toContain("meta mark");
    expect(open).not.toContain(straight);
    expect(open).toContain("meta mark and 0x1 == 0x1 counter accept");
    for (const text of [
      "ip daddr 172.17.0.2 tcp dport 80 counter accept",
      'iifname != "lo" ip daddr 127.0.0.1 tcp dport 8080 counter drop',
      'iifname != "docker0" ip daddr 127.0.0.1 tcp dport 8080 counter dnat to 172.17.0.2:80',
      'counter drop comment "UNPUBLISHED PORT DROP"',
    ])
      expect(open).toContain(text);
  },
);
