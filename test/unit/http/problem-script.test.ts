import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { problemScript } from "../../../worker/http/problem-script.ts";

const run = (detail: string) => spawnSync("sh", { input: problemScript(detail), encoding: "utf8" });

test("a refusal that a shell runs says why and ends with 1", () => {
  const { status, stdout, stderr } = run("there is no such key; it's gone");
  expect([status, stdout, stderr]).toEqual([1, "", "meshboot: there is no such key; it's gone\n"]);
});

test("whatever it says, nothing of it is run", () => {
  const words = fc.constantFrom(
    "'",
    "\\",
    "$(exit 7)",
    "`exit 7`",
    "\n",
    "exit 7",
    "$HOME",
    "é",
    "; exit 7 #",
    '"',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 8 }), (text) => {
      const { status, stdout, stderr } = run(text.join(" "));
      expect([status, stdout]).toEqual([1, ""]);
      expect(stderr.startsWith("meshboot: ")).toBe(true);
    }),
    { numRuns: 25 },
  );
});
