// kill -9 before each step of `up`: run again, the end is that of an undisturbed run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAgent } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { PATIENCE, starts, state } from "./kills.ts";
import { SHELLS, withDirectory } from "./shells.ts";

const source = readAgent();

/** The lines of `up` that are calls and nothing else: its steps, and whatever else it does in order. */
const upBody = /^up\(\) \{\n([\s\S]*?)^\}/m.exec(source)?.[1] ?? "";
const steps = upBody.split("\n").filter((line) => /^ {2}(?!fi$)[a-z_]+$/.test(line));

describe.each(SHELLS.slice(0, 1))("kill -9 in $name", PATIENCE, (shell) => {
  it("before any step of up, run again, ends as an undisturbed up", () => {
    expect(steps.map((line) => line.trim())).toEqual(
      expect.arrayContaining(["enrol", "join_network", "load_rules", "configure_docker", "report"]),
    );
    withDirectory((directory) => {
      const undisturbed = new Host(join(directory, "undisturbed"));
      expect(undisturbed.run(shell, "up").status).toBe(0);
      for (const [number, step] of steps.entries()) {
        const host = new Host(join(directory, String(number)));
        const program = join(directory, `${number}.sh`);
        const lines = upBody.split("\n");
        const at = steps.slice(0, number + 1).reduce((from, line) => lines.indexOf(line, from + 1), -1);
        lines.splice(at, 0, "  kill -9 $$");
        writeFileSync(
          program,
          source.replace(upBody, () => lines.join("\n")),
        );
        expect(host.run(shell, "up", program).status, step).toBeNull();
        expect(host.run(shell, "up"), step).toMatchObject({ status: 0, err: "" });
        expect(state(host), step).toEqual(state(undisturbed));
        expect(starts(host), step).toBe(1);
      }
    });
  });
});
