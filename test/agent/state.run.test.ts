// What each step says it looks at: forgotten, it would switch the repair of drift off without a word.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { SHELLS, withDirectory } from "./shells.ts";

/** Some dozens of runs of the agent, a second each, more on a machine that does other things too. */
const PATIENCE = { timeout: 600_000 };
const NETWORKS = "/var/lib/docker/network/files/local-kv.db";

/** A change that this step alone has to see; the order is that of the steps. */
const CHANGES: Readonly<Record<string, (host: Host) => void>> = {
  system: (host) => host.write("/etc/os-release", `${host.read("/etc/os-release")}NAME=Debian\n`),
  prerequisites: (host) => host.write("/var/lib/dpkg/status", "Package: nftables\n"),
  zerotier: (host) => host.put("/dev/net/tun", undefined),
  enrol: (host) => host.write("/etc/meshboot/key", `mbk_${"n".repeat(22)}\n`),
  overlap: (host) => host.write("/etc/resolv.conf", "nameserver 172.28.9.9\n"),
  local_conf: (host) => host.write("/var/lib/zerotier-one/local.conf", "{}\n"),
  network_services: (host) => host.write("/etc/NetworkManager/conf.d/zz-meshboot.conf", "[keyfile]\n"),
  join: (host) => host.world({ "zerotier-status": "ACCESS_DENIED" }),
  tables: (host) => host.write("/var/lib/meshboot/tables", "table ip mine\n"),
  sysctls: (host) => host.write("/proc/sys/net/ipv4/ip_forward", "0\n"),
  ifupdown: (host) => host.write("/etc/network/if-up.d/meshboot", "exit 1\n"),
  firewalls: (host) => host.world({ "unit-ufw": "active" }),
  firewalld: (host) => host.write("/etc/firewalld/direct.xml", "<direct/>\n"),
  chains: (host) => host.world({ ruleset: "table inet mine {\n}\n" }),
  rules: (host) => host.world({ nft: "" }),
  backend: (host) => host.write("/etc/docker/daemon.json", '{"firewall-backend":"nftables"}'),
  address: (host) => host.world({ addresses: host.seen("addresses").replace(/.*10\.147\.17.*\n/, "") }),
  routes: (host) => host.world({ "mesh-routes": host.seen("mesh-routes").replace(/.*\n/, "") }),
  watch: (host) => host.world({ "unit-meshboot-watch": "failed" }),
  controller: (host) => host.world({ "unit-meshboot-controller-work": "failed" }),
  docker: (host) => host.write("/etc/docker/daemon.json", '{"debug":true}'),
  ipv6nat: (host) => host.write("/var/lib/meshboot/ipv6nat.tar", "an image"),
};

/** Steps that look at nothing: one puts nothing in place, the other's work each report looks at. */
const BLIND = ["network", "hosts"];

const state = (step: string) => new RegExp(`^${step}_state\\(\\) \\{\\n[\\s\\S]*?^\\}\\n`, "m");
const stated = Array.from(
  AGENT.program.matchAll(/^([a-z0-9_]+)_state\(\) \{$/gm),
  ([, step]) => step ?? "",
).filter((step) => step !== "host" && step !== "remember" && step !== "make");

/** A server in the mesh on which `up` has found nothing to do. */
function settled(shell: (typeof SHELLS)[number], directory: string): Host {
  const host = new Host(directory);
  host.write(NETWORKS, "1");
  host.join(shell);
  for (const _ of ["finds nothing to do", "remembers that"])
    expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
  expect(host.run(shell, "up").out).toContain("nothing has changed");
  return host;
}

describe.each(SHELLS.slice(0, 1))("what the steps look at, in $name", PATIENCE, (shell) => {
  it("is told of each step by a test", () => {
    expect(stated.toSorted()).toEqual([...Object.keys(CHANGES), ...BLIND].toSorted());
  });

  it("says nothing of a step: then that is taken each time, and with it all others", () => {
    withDirectory((directory) => {
      const host = settled(shell, join(directory, "host"));
      for (const step of stated) {
        const program = join(directory, `without-${step}`);
        writeFileSync(program, AGENT.program.replace(state(step), ""));
        const { status, out } = host.run(shell, "up", program);
        expect([step, status, out.includes("nothing has changed")]).toEqual([step, 0, false]);
      }
    });
  });

  it("is seen by the step itself: by no other one, nor by the files that were written", () => {
    withDirectory((directory) => {
      const host = settled(shell, join(directory, "host"));
      const files = /done <"\$STATE\/files"/;
      expect(AGENT.program).toMatch(files);
      for (const [step, change] of Object.entries(CHANGES)) {
        const alone = stated
          .filter((other) => other !== step)
          .reduce(
            (text, other) => text.replace(state(other), `${other}_state() {\n  :\n}\n`),
            AGENT.program.replace(files, "done </dev/null").replace(/\$\{MESHBOOT_SOURCE:-\}/, "yes"),
          );
        const program = join(directory, `only-${step}`);
        writeFileSync(program, `${alone}\nTMP=$STATE; use_saved_lease; host_state\n`);
        const look = () => host.run(shell, "", program).out;
        const before = look();
        expect([step, look()]).toEqual([step, before]);
        change(host);
        expect(look(), step).not.toBe(before);
      }
    });
  });

  it.each([
    "/sys/class/net/br-lan/ifindex",
    "/etc/sysctl.d/router.conf",
    "/etc/ufw/sysctl.conf",
    "/etc/systemd/network/10-lan.network",
    "/etc/systemd/networkd.conf.d/router.conf",
  ])("holds the user's own bridges and files, by which the rules go: %s", (path) => {
    withDirectory((directory) => {
      const host = settled(shell, join(directory, "host"));
      host.write(path, "7\n");
      const { status, out } = host.run(shell, "up");
      expect({ status, isSkipped: out.includes("nothing has changed") }).toEqual({
        status: 0,
        isSkipped: false,
      });
    });
  });
});
