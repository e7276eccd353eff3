// kill -9 before each step of `up`: run again, the end is that of an undisturbed run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { isToday, PATIENCE, starts, state } from "./kills.ts";
import { SHELLS, withDirectory } from "./shells.ts";

const source = AGENT.program;

/** The steps that `up` takes, in their order. */
const steps = (/^STEPS='([^']+)'/m.exec(source)?.[1] ?? "")
  .split(/\s+/)
  .filter((step) => source.includes(`\n${step}_up() {\n`));

/** Where a program is killed: as it comes to a step, to what follows the steps, or to the very end. */
const places = [
  ...steps.map((step) => `${step}_up() {`),
  "remember_state() {",
  "report() {",
  "remember_applied() {",
];

/** A kill at one place is tried on one of them a day, at the next place on the other. */
const SERVERS: readonly [string, number, (host: Host) => Host][] = [
  ["with Docker", 0, (host) => host],
  ["of an image", 1, (host) => host.becomeImage()],
];

describe.each(SHELLS.slice(0, 1))("kill -9 in $name", PATIENCE, (shell) => {
  it.each(SERVERS)(
    "on a server %s, before any step of up, run again, ends as an undisturbed up",
    (_, turn, server) => {
      expect(steps).toEqual(
        expect.arrayContaining(["enrol", "join", "address", "routes", "docker", "ipv6nat"]),
      );
      withDirectory((directory) => {
        const undisturbed = server(new Host(join(directory, "undisturbed")));
        expect(undisturbed.run(shell, "up")).toMatchObject({ status: 0, err: "" });
        for (const [place, step] of places.entries()) {
          const program = join(directory, `${place}.sh`);
          expect(source).toContain(`\n${step}\n`);
          if (!isToday(place + turn, SERVERS.length)) continue;
          writeFileSync(
            program,
            source.replace(`\n${step}\n`, () => `\n${step}\nkill -9 $$\n`),
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
