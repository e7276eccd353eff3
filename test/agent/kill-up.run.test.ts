// kill -9 before each command of `up` that changes something: run again, the end is that of an undisturbed run.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { killedBefore, killsAmong, PATIENCE, starts, state } from "./kills.ts";
import { SHELLS, withDirectory } from "./shells.ts";

describe.each(SHELLS.slice(0, 1))("kill -9 in $name", PATIENCE, (shell) => {
  it("before any change that up makes, run again, ends as an undisturbed up", () => {
    withDirectory((directory) => {
      const make = (name: string) => {
        const host = new Host(join(directory, name));
        host.world({ containers: "web\n", changes: "" });
        return host;
      };
      const agreed = "up --restart-docker";
      const undisturbed = make("undisturbed");
      expect(undisturbed.run(shell, agreed, killedBefore(directory, 0)).status).toBe(0);
      const changes = undisturbed.seen("changes").length / 2;
      expect(changes).toBeGreaterThan(20);
      for (const change of killsAmong(changes)) {
        const host = make(String(change));
        host.run(shell, agreed, killedBefore(directory, change));
        const before = host.seen("calls").trim().split("\n").at(-1);
        const label = `change ${change}, after ${before}`;
        // An agreement counts in its run alone, until the restart is decided.
        const decided = host.read("/run/meshboot/restarting") || starts(host) > 0;
        expect(host.run(shell, decided ? "up" : agreed), label).toMatchObject({ status: 0, err: "" });
        expect(state(host), label).toEqual(state(undisturbed));
        expect(starts(host), label).toBe(1);
        expect(host.seen("calls"), label).toContain("docker start id-web");
      }
    });
  });
});
