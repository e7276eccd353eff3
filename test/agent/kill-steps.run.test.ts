// kill -9 before each step of `up`: run again, the end is that of an undisturbed run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAgent } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { PATIENCE, starts, state } from "./kills.ts";
import { SHELLS, withDirectory } from "./shells.ts";

const source = readAgent();

const upBody = /^up\(\) \{\n([\s\S]*?)^\}/m.exec(source)?.[1] ?? "";
const lines = upBody.split("\n");

/** What a server made of an image does in another order stands up to `else`, what others do up to `fi`. */
const orders = lines.indexOf('  if [ -e "$STATE/masked" ]; then');
const otherwise = lines.indexOf("  else", orders);
const orderly = lines.indexOf("  fi", otherwise);

/** The lines of `up` that are calls and nothing else, by their place: its steps, and whatever else it does in order. */
const steps = [...lines.entries()].filter(
  ([place, line]) =>
    /^ {2}(?!fi$|else$)[a-z_]+$/.test(line) ||
    (place > orders && place < orderly && /^ {4}[a-z_]+( [a-z]+)?$/.test(line)),
);

/** A server with Docker, which in an image has not run yet. */
function server(directory: string, isImage: boolean): Host {
  const host = new Host(directory);
  if (isImage) {
    host.write("/var/lib/meshboot/masked", "");
    host.put("/proc/42/cmdline", undefined);
  }
  return host;
}

describe.each(SHELLS.slice(0, 1))("kill -9 in $name", PATIENCE, (shell) => {
  it("before any step of up, run again, ends as an undisturbed up", () => {
    const names = steps.map(([, line]) => line.trim());
    for (const name of ["configure_docker", "apply_routes"])
      expect(names.filter((step) => step === name)).toHaveLength(2);
    expect(names).toEqual(expect.arrayContaining(["enrol", "join_network", "wait_for address", "report"]));
    withDirectory((directory) => {
      const undisturbed = [false, true].map((isImage) => {
        const host = server(join(directory, `undisturbed-${isImage}`), isImage);
        expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
        return { isImage, end: state(host) };
      });
      for (const [place, step] of steps) {
        const program = join(directory, `${place}.sh`);
        writeFileSync(
          program,
          source.replace(upBody, () => lines.toSpliced(place, 0, "kill -9 $$").join("\n")),
        );
        for (const { isImage, end } of undisturbed) {
          const isOtherOrder = isImage ? place > otherwise : place < otherwise;
          if (place > orders && place < orderly && isOtherOrder) continue;
          const host = server(join(directory, `${place}-${isImage}`), isImage);
          const label = `${step}, image: ${isImage}`;
          expect(host.run(shell, "up", program).status, label).toBeNull();
          expect(host.run(shell, "up"), label).toMatchObject({ status: 0, err: "" });
          expect(state(host), label).toEqual(end);
          expect(starts(host), label).toBe(1);
        }
      }
    });
  });
});
