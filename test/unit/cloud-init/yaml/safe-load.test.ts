/** What is YAML to us and what is YAML to cloud-init's own parser, PyYAML: the same texts, held against it where it is installed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { YamlError } from "../../../../cloud-init/yaml/reader.ts";
import { safeLoad } from "../../../../cloud-init/yaml/safe-load.ts";
import { PYTHON, runPython } from "../cloud-init-python.ts";
import { operatorConfig } from "../fixture.ts";
import { REFUSED, TAKEN } from "./snippets.ts";

if (PYTHON === undefined)
  console.warn(
    "SKIPPED: cloud-init's Python code cannot be loaded (apt-get install cloud-init): our YAML not held against PyYAML's",
  );

function isTaken(text: string): boolean {
  try {
    safeLoad(text);
    return true;
  } catch (error) {
    if (error instanceof YamlError) return false;
    throw error;
  }
}

/** What PyYAML says to each. */
function verdicts(texts: readonly string[]): boolean[] {
  const said = runPython(new URL("verdicts.py", import.meta.url), JSON.stringify(texts));
  return z.array(z.boolean()).length(texts.length).parse(JSON.parse(said));
}

test("takes what PyYAML takes, and refuses what it refuses", () => {
  expect(TAKEN.length + REFUSED.length).toBeGreaterThan(200);
  expect(TAKEN.filter((text) => !isTaken(text))).toEqual([]);
  expect(REFUSED.filter(isTaken)).toEqual([]);
});

describe.skipIf(PYTHON === undefined)("PyYAML, by which cloud-init reads,", () => {
  test("says so itself", () => {
    const texts = [...TAKEN, ...REFUSED];
    const said = verdicts(texts);
    expect(texts.filter((_, at) => said[at])).toEqual(TAKEN);
  });

  test("agrees on documents that somebody mistyped, and on heaps of what YAML is made of", {
    timeout: 30_000,
  }, () => {
    const seed = Date.now() % 1_000_000;
    const texts = fc.sample(fc.oneof(mistyped, heaps), { numRuns: 1500, seed });
    const said = verdicts(texts);
    expect(
      texts.filter((text, at) => isTaken(text) !== said[at]),
      `seed ${seed}`,
    ).toEqual([]);
  });
});

/** What makes the difference between one YAML text and another. */
const pieces = fc.constantFrom(
  ...[
    "\t",
    " ",
    "  ",
    "\n",
    "\n  ",
    "\n- ",
    ":",
    ": ",
    "- ",
    "? ",
    "#",
    " #",
    "'",
    '"',
    "\\",
    "\\x4",
    "\\u00e9",
  ],
  ...[
    "[",
    "]",
    "{",
    "}",
    ",",
    "|",
    "|\n",
    "|2-\n",
    ">",
    ">+\n",
    "&a ",
    "*a ",
    "<<: ",
    "=",
    "~",
    "%",
    "@",
    "`",
  ],
  ...[
    "!",
    "! ",
    "!!str ",
    "!!int ",
    "!!set ",
    "!!omap ",
    "!!binary ",
    "!b ",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
  ],
  ...[
    "a",
    "b: c",
    "- d",
    "0x_",
    "1:30",
    "2020-01-01",
    "2020-13-01",
    "\u0007",
    "é",
    "😀",
    "\u2028",
    "\ufeff",
    "\r",
  ],
);

const heaps = fc.array(pieces, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(""));

/** A document with up to three pieces put in, or some characters left out. */
const mistyped = fc
  .tuple(
    fc.constantFrom(operatorConfig, ...TAKEN),
    fc.array(fc.tuple(fc.nat(), pieces, fc.nat({ max: 3 })), { minLength: 1, maxLength: 3 }),
  )
  .map(([text, slips]) =>
    slips.reduce((changed, [place, piece, without]) => {
      const at = place % (changed.length + 1);
      return changed.slice(0, at) + (without === 3 ? "" : piece) + changed.slice(at + without);
    }, text),
  );

test("says where it ends, by line and column", () => {
  const markOf = (text: string) => {
    try {
      safeLoad(text);
    } catch (error) {
      if (error instanceof YamlError) return [error.mark.line, error.mark.column];
    }
    throw new Error("taken");
  };
  expect(markOf("#cloud-config\nhostname:\tweb1\n")).toEqual([2, 10]);
  expect(markOf("a: 😀\nb: [c\n")).toEqual([3, 1]);
  expect(markOf("a: 1\nb: \u0007\n")).toEqual([2, 4]);
  expect(markOf("a:\n  - b: 1\n    c: =\n")).toEqual([3, 8]);
});

test("is not led into the deep, and not twice through what an alias names", () => {
  expect(isTaken("[".repeat(100_000))).toBe(false);
  expect(isTaken(`a: ${"[".repeat(50)}${"]".repeat(50)}`)).toBe(true);
  const laughs = Array.from({ length: 28 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`);
  expect(isTaken(["a0: &a0 x", ...laughs].join("\n"))).toBe(true);
  const merging = (count: number): string => {
    const row = Array.from({ length: count }, (_, n) => `- &a${n + 1} {<<: *a${n}}`);
    return ["- &a0 {b: c}", ...row].join("\n");
  };
  expect([isTaken(merging(100)), isTaken(merging(101)), isTaken(merging(5000))]).toEqual([
    true,
    false,
    false,
  ]);
  expect(isTaken(`- &a {b: c}\n- {<<: [${"*a, ".repeat(200)}]}`)).toBe(true);
});
