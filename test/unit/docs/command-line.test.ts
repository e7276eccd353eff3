/** Holds what the pages say of the operator's command line to its declarations. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { EXIT } from "../../../scripts/cli/exit-code.ts";
import { declaredCommands, PROGRAM } from "../cli/demo-mesh.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (page: string): string => readFileSync(join(ROOT, page), "utf8");
const pages = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const page = read("docs/command-line.md");

test("the page on the command line has each command, with what its help says of it", () => {
  const [, table = ""] = /^## Commands\n([\s\S]*?)^## /m.exec(page) ?? [];
  const rows = [...table.matchAll(/^\| `([a-z-]+)([^`]*)` +\| (.*?) +\|$/gm)];
  const shown = rows.map(([, name, , what]) => [name, what]);
  const declared = PROGRAM.createHelp()
    .visibleCommands(PROGRAM)
    .filter((command) => command.name() !== "help")
    .map((command) => [command.name(), command.summary()]);
  expect(shown).toEqual(declared);
});

test("the page on the command line has each exit code", () => {
  const rows = [...page.matchAll(/^\| (\d+) +\| /gm)].map(([, code]) => Number(code));
  expect(rows).toEqual(Object.values(EXIT));
});

test.each(pages)("every command line that %s names is one, with its options", (name) => {
  const declared = declaredCommands();
  for (const [line, , words = ""] of read(name).matchAll(/\b(npx meshboot)((?: [^\s`|&;>]+)*)/g)) {
    const given = words
      .trim()
      .split(" ")
      .filter((word) => word !== "");
    const plain = given.filter((word, at) => !word.startsWith("-") && given[at - 1] !== "--context");
    const found = declared
      .filter(({ words }) => words.every((word, at) => plain[at] === word))
      .sort((a, b) => b.words.length - a.words.length)[0];
    if (plain.length > 0) expect(found?.words.length, line).toBeGreaterThan(0);
    const known = [...(found?.command.options ?? []), ...PROGRAM.options].flatMap(({ short, long }) => [
      short,
      long,
    ]);
    for (const option of given.filter((word) => word.startsWith("-")))
      expect([...known, "--help"], line).toContain(option.split("=")[0]);
  }
});
