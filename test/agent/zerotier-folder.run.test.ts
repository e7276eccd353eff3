// Whose the files are that the agent makes in ZeroTier's folder: the real zerotier-one drops root after its start.
import { chownSync, rmSync, statSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { SHELLS, withDirectory } from "./shells.ts";

const ZT = "/var/lib/zerotier-one";
const NETWORK = "8056c2e21c000001";
/** Nobody: any user but the one who runs the tests. */
const USER = 65534;

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("SKIPPED: whose ZeroTier's files are: only root can give files away");

const ownersOf = (host: Host, ...paths: string[]): number[] =>
  paths.map((path) => statSync(host.root + path).uid);

describe.skipIf(!isRoot).each(SHELLS)("ZeroTier's folder in $name", { timeout: 300_000 }, (shell) => {
  it("has nothing of root's after the first up, and keeps none of an earlier agent's", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      chownSync(host.root + ZT, USER, USER);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      const made = [`${ZT}/local.conf`, `${ZT}/networks.d`, `${ZT}/networks.d/${NETWORK}.local.conf`];
      expect(ownersOf(host, ...made)).toEqual([USER, USER, USER]);

      const written = [`${ZT}/networks.d`, `${ZT}/networks.d/${NETWORK}.conf`];
      for (const path of written) chownSync(host.root + path, 0, 0);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(ownersOf(host, ...written)).toEqual([USER, USER]);
    });
  });

  it("is written to through no link that its user has laid", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      chownSync(host.root + ZT, USER, USER);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      host.write("/etc/passwd", "root\n");
      rmSync(`${host.root}${ZT}/local.conf`);
      symlinkSync(`${host.root}/etc/passwd`, `${host.root}${ZT}/local.conf.meshboot-tmp`);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read("/etc/passwd")).toBe("root\n");
      expect(host.read(`${ZT}/local.conf`)).toContain("interfacePrefixBlacklist");
      expect(statSync(`${host.root}${ZT}/local.conf`).mode & 0o777).toBe(0o644);
    });
  });
});
