// A server whose way out becomes a bridge of its own, called as Docker's are.
import { mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const LOCAL_CONF = "/var/lib/zerotier-one/local.conf";

describe.each(shellOfTheDay(import.meta.filename))("a bridge as the uplink in $name", PATIENCE, (shell) => {
  it("is named by the doctor, seen by the next up, and nothing to the one after it", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/var/lib/docker/network/files/local-kv.db", "1");
      host.join(shell);
      const listed = () => JSON.parse(host.read(LOCAL_CONF) ?? "").settings.interfacePrefixBlacklist;
      const up = () => host.run(shell, "up");
      for (const _ of ["finds nothing to do", "remembers that"]) up();
      expect(up().out).toContain("nothing has changed");
      expect(listed()).toEqual(["docker", "br-", "veth"]);

      for (const name of ["addresses", "routes", "routes6"])
        host.world({ [name]: host.seen(name).replaceAll("eth0", "br-wan") });
      mkdirSync(`${host.root}/sys/class/net/br-wan/bridge`, { recursive: true });
      expect(host.run(shell, "doctor").out).toMatch(
        /warning +zerotier: local.conf keeps ZeroTier off br-wan, by/,
      );
      expect(up()).toMatchObject({ status: 0, err: "" });
      expect(listed()).not.toContain("br-");
      expect(listed()).toContain("br-0");
      expect(host.run(shell, "doctor").out).not.toContain("local.conf");
      for (const _ of ["finds nothing to do", "remembers that"]) up();
      expect(up().out).toContain("nothing has changed");

      host.run(shell, "down");
      expect(host.read(LOCAL_CONF)).toBeUndefined();
    });
  });
});
