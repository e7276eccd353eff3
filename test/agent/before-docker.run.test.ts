// `meshboot rules` as docker.service runs it ahead of dockerd.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Host, STUBS } from "./host.ts";
import { AGENT, SHELLS, withDirectory } from "./shells.ts";

const RULES_IN = {
  "/system.slice/docker.service": "1:cpu:/\n0::/system.slice/docker.service\n",
  "/system.slice/docker.service/.control": "0::/system.slice/docker.service/.control\n",
  "/system.slice/nftables.service": "0::/system.slice/nftables.service\n",
} as const;

describe.each(SHELLS.slice(0, 1))("rules in $name", { timeout: 300_000 }, (shell) => {
  it.each([
    ["/system.slice/docker.service", 0],
    ["/system.slice/docker.service/.control", 0],
    ["/system.slice/nftables.service", 1],
  ] as const)(
    "called from %s, while up starts dockerd, change the rules that up has put there %i times",
    (cgroup, times) => {
      withDirectory((directory) => {
        const host = new Host(directory).becomeMasked();
        host.write("/proc/self/cgroup", RULES_IN[cgroup]);
        host.world({
          "before-docker": `rm "$WORLD/nft"\necho BEFORE >>"$WORLD/calls"\ndash '${AGENT}' rules >&2\n`,
        });
        expect(host.run(shell, "up").status).toBe(0);
        const [, behind = ""] = host.seen("calls").split("BEFORE\n");
        expect(behind.match(/^nft -f -$/gm)?.length ?? 0).toBe(times);
      });
    },
  );

  it("are put in place anew for a dockerd that up has only just installed", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const programs = `${directory}/programs`;
      mkdirSync(programs);
      for (const name of readdirSync(STUBS)) {
        if (name !== "dockerd" && name !== "apt-get") symlinkSync(`${STUBS}/${name}`, `${programs}/${name}`);
      }
      const apt = `#!/bin/sh\ncase $* in *install*) ln -sf '${STUBS}/dockerd' '${programs}/dockerd' ;; esac\nexec '${STUBS}/apt-get' "$@"\n`;
      writeFileSync(`${programs}/apt-get`, apt, { mode: 0o755 });
      host.put("/proc/42/cmdline", undefined);
      host.write("/proc/self/cgroup", RULES_IN["/system.slice/docker.service"]);
      host.world({ "before-docker": `dash '${AGENT}' rules >&2\n` });
      const PATH = `${programs}:/usr/bin:/bin:/usr/sbin:/sbin`;
      const { status, err } = host.run(shell, "up", AGENT, { PATH });
      expect({ status, err }).toMatchObject({ status: 0 });
      expect(host.seen("calls")).toMatch(/apt-get .*install.* docker/);
      expect(host.seen("nft")).toContain("chain direct");
    });
  });

  it("are put in place where that up is over, however it ended", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      expect(host.run(shell, "up").status).toBe(0);
      host.write("/proc/self/cgroup", RULES_IN["/system.slice/docker.service"]);
      host.write("/run/meshboot/ruled", "");
      host.world({ nft: "" });
      expect(host.run(shell, "rules").status).toBe(0);
      expect(host.seen("nft")).toContain("chain pre");
    });
  });
});
