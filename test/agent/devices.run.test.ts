// The mesh's interface by the names that ZeroTier's devicemap may give it.
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { SHELLS, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };

describe.each(shellOfTheDay(import.meta.filename))("the mesh's interface in $name", PATIENCE, (shell) => {
  it.each(["zt_mesh", "warp-net", "mesh.0", "m", "fifteen_letters"])("may be called %s", (device) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ "zerotier-interface": device });
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read("/var/lib/meshboot/interface")).toBe(`${device}\n`);
      expect(host.seen("nft")).toContain(`iifname { "lo", "${device}" } accept`);
      expect(host.seen("iptables")).toContain(`-i ${device} -d 172.28.233.0/24`);
      expect(host.seen("mesh-routes").trim().split("\n")).toHaveLength(238);
      expect(JSON.parse(host.run(shell, "status --json").out)).toMatchObject({
        zerotier: "OK",
        interface: device,
      });
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
    });
  });
});

describe.each(SHELLS.slice(0, 1))("the mesh's interface in $name", PATIENCE, (shell) => {
  it.each(["mesh+", "zt*", 'a"b', "-x", "a$b", "sixteen_letters_"])(
    "is refused by the name %s, which says where to change it",
    (device) => {
      withDirectory((directory) => {
        const host = new Host(directory);
        host.world({ "zerotier-interface": device });
        const { status, err } = host.run(shell, "up");
        expect(status).toBe(3);
        expect(err).toContain(`is called ${device}, which is a pattern`);
        expect(err).toContain("/var/lib/zerotier-one/devicemap");
        expect(host.read("/var/lib/meshboot/interface")).toBeUndefined();
      });
    },
  );

  it("is no network of the host's to the Worker, whatever it is called; others are, and so are lifelines", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/var/lib/zerotier-one/networks.d/8056c2e21c000001.conf", "");
      host.write("/etc/resolv.conf", "nameserver 192.0.2.53\n");
      host.world({
        "zerotier-interface": "warp-net",
        addresses: `${host.seen("addresses")}7: warp-net    inet 10.147.17.233/24 scope global warp-net
8: ztother    inet 10.9.0.1/24 scope global ztother
`,
      });
      expect(host.run(shell, "up").status).toBe(0);
      const body = host
        .seen("requests")
        .split("\n")
        .find((line) => line.startsWith('{"identity"'));
      expect(JSON.parse(body ?? "{}").localPrefixes).toEqual([
        "203.0.113.5/32",
        "10.9.0.1/32",
        "203.0.113.1/32",
        "192.0.2.53/32",
        "203.0.113.0/24",
        "10.9.0.0/24",
      ]);
    });
  });
});
