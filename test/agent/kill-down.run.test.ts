// kill -9 before each command of `down` that changes something: run again, the end is that of an undisturbed down.
import { cpSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { killedBefore, killsAmong, PATIENCE, state } from "./kills.ts";
import { SHELLS, withDirectory } from "./shells.ts";

const SERVERS: readonly [string, (host: Host, up: () => number | null) => void, string?][] = [
  [
    "a server with containers",
    (host, up) => {
      expect(up()).toBe(0);
      host.world({ containers: "web\n" });
    },
  ],
  [
    "a server that is to have nothing of ours left",
    (host, up) => {
      expect(up()).toBe(0);
      for (const path of ["/etc/systemd/system/meshboot.service", "/usr/local/sbin/meshboot-fetch"])
        host.write(path, "meshboot\n");
    },
    "--purge",
  ],
  ["one of an image", (host, up) => expect(host.becomeImage() && up()).toBe(0)],
  [
    "one of an image whose dockerd was never started",
    (host, up) => {
      host.becomeImage().world({ "docker-fails": "" });
      expect(up()).toBe(1);
      rmSync(join(host.root, "../world/docker-fails"));
    },
  ],
  [
    "one where Docker's installation was interrupted",
    (host, up) => {
      host.becomeMasked().world({ "zerotier-status": "ACCESS_DENIED", "docker-enabled": "disabled\n" });
      for (const unit of ["docker.service", "docker.socket"])
        symlinkSync("/dev/null", `${host.root}/run/systemd/system/${unit}`);
      expect(up()).toBe(1);
    },
  ],
];

describe.each(SHELLS.slice(0, 1))("kill -9 in $name", PATIENCE, (shell) => {
  it.each(SERVERS)(
    "on %s, before any change that down makes, run again, ends as an undisturbed down",
    (_, server, more = "") => {
      const down = `down --restart-docker ${more}`;
      withDirectory((directory) => {
        const up = new Host(join(directory, "up"));
        up.world({ changes: "" });
        server(up, () => up.run(shell, "up").status);
        const copy = (name: string) => {
          const host = new Host(join(directory, name));
          rmSync(join(directory, name), { recursive: true });
          cpSync(join(directory, "up"), join(directory, name), { recursive: true });
          return host;
        };
        const undisturbed = copy("undisturbed");
        expect(undisturbed.run(shell, down, killedBefore(directory, 0)).status).toBe(0);
        const changes = undisturbed.seen("changes").length / 2;
        expect(changes).toBeGreaterThan(20);
        for (const change of killsAmong(changes)) {
          const host = copy(String(change));
          host.run(shell, down, killedBefore(directory, change));
          const label = `change ${change}, after ${host.seen("calls").trim().split("\n").at(-1)}`;
          expect(host.run(shell, down), label).toMatchObject({ status: 0, err: "" });
          expect(state(host), label).toEqual(state(undisturbed));
          expect(host.seen("docker-enabled"), label).toBe("enabled\n");
          expect(host.dockerdCommand(), label).toBeDefined();
        }
      });
    },
  );
});
