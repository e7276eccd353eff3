// kill -9 before each command of `down` that changes something: run again, the end is that of an undisturbed down.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { killedBefore, killsAmong, PATIENCE, state } from "./kills.ts";
import { SHELLS, withDirectory } from "./shells.ts";

describe.each(SHELLS.slice(0, 1))("kill -9 in $name", PATIENCE, (shell) => {
  it("before any change that down makes, run again, ends as an undisturbed down", () => {
    withDirectory((directory) => {
      const up = new Host(join(directory, "up"));
      up.world({ changes: "" });
      expect(up.run(shell, "up").status).toBe(0);
      up.world({ containers: "web\n" });
      const copy = (name: string) => {
        const host = new Host(join(directory, name));
        rmSync(join(directory, name), { recursive: true });
        cpSync(join(directory, "up"), join(directory, name), { recursive: true });
        return host;
      };
      const undisturbed = copy("undisturbed");
      expect(undisturbed.run(shell, "down", killedBefore(directory, 0)).status).toBe(0);
      const changes = undisturbed.seen("changes").length / 2;
      expect(changes).toBeGreaterThan(20);
      for (const change of killsAmong(changes)) {
        const host = copy(String(change));
        host.run(shell, "down", killedBefore(directory, change));
        const label = `change ${change}, after ${host.seen("calls").trim().split("\n").at(-1)}`;
        expect(host.run(shell, "down"), label).toMatchObject({ status: 0, err: "" });
        expect(state(host), label).toEqual(state(undisturbed));
      }
    });
  });
});
