import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { SHELLS, withDirectory } from "./shells.ts";

const FILE = "/var/lib/meshboot/tools";

describe.each(SHELLS)("tools in $name", { timeout: 60_000 }, (shell) => {
  it("come from the Worker with the first lease, once", () => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "a"));
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.read(FILE)).toBe(host.seen("tools"));
      host.world({ requests: "" });
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.seen("requests")).not.toContain("/agent/tools");
    });
  });

  it("are not kept when they are not the agent's own", () => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "a"));
      host.world({ tools: "doctor() { echo somebody else; }\n" });
      const up = host.run(shell, "up");
      expect(up.status).toBe(0);
      expect(up.err).toContain("the Worker has the tools of another version");
      expect(host.read(FILE)).toBeUndefined();
    });
  });
});
