// kill -9 before each step of `up`: run again, the end is that of an undisturbed run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { PATIENCE, starts, state } from "./kills.ts";
import { SHELLS, withDirectory } from "./shells.ts";

const source = AGENT.program;

const upBody = /^up\(\) \{\n([\s\S]*?)^\}/m.exec(source)?.[1] ?? "";
const lines = upBody.split("\n");

/** The lines of `up` that are calls and nothing else, by their place: its steps, and whatever else it does in order. */
const steps = [...lines.entries()].filter(([, line]) => /^ {2}(?!fi$)[a-z_]+( address)?$/.test(line));

const SERVERS: readonly [string, (host: Host) => Host][] = [
  ["with Docker", (host) => host],
  ["of an image", (host) => host.becomeImage()],
];

describe.each(SHELLS.slice(0, 1))("kill -9 in $name", PATIENCE, (shell) => {
  it.each(SERVERS)(
    "on a server %s, before any step of up, run again, ends as an undisturbed up",
    (_, server) => {
      expect(steps.map(([, line]) => line.trim())).toEqual(
        expect.arrayContaining(["enrol", "join_network", "wait_for address", "configure_docker", "report"]),
      );
      withDirectory((directory) => {
        const undisturbed = server(new Host(join(directory, "undisturbed")));
        expect(undisturbed.run(shell, "up")).toMatchObject({ status: 0, err: "" });
        for (const [place, step] of steps) {
          const program = join(directory, `${place}.sh`);
          writeFileSync(
            program,
            source.replace(upBody, () => lines.toSpliced(place, 0, "kill -9 $$").join("\n")),
          );
          const host = server(new Host(join(directory, String(place))));
          expect(host.run(shell, "up", program).status, step).toBeNull();
          expect(host.run(shell, "up"), step).toMatchObject({ status: 0, err: "" });
          expect(state(host), step).toEqual(state(undisturbed));
          expect(starts(host), step).toBe(1);
        }
      });
    },
  );
});
