/** Runs each example of each command's help as it is printed, against what `npm start` starts. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type DemoMesh, declaredCommands, demandOf, startDemoMesh } from "./demo-mesh.ts";

let demo: DemoMesh;

beforeAll(async () => {
  demo = await startDemoMesh();
  // For doctor, which is to find something.
  await demo.demand("POST", "/v1/reservations", { name: "kept" });
});
afterAll(() => demo.close());

const examplesIn = (help: string): string[] =>
  [...help.matchAll(/^ {2}\$ (.*)$/gm)].map(([, example = ""]) => example);

/** What ends otherwise than with 0, and rightly so: what is found in this mesh, and what only ends when it is ended. */
const OTHER_CODES: Readonly<Record<string, number>> = {
  "meshboot doctor": 6,
  "meshboot doctor --drift": 6,
  // Nobody is at hooks.example.com.
  "meshboot webhooks test 6b0f3d1c58a2e947": 1,
  "timeout 2 meshboot events -f": 124,
};

describe("the help of", () => {
  const told = declaredCommands().map(({ words, command }) => {
    let help = "";
    command.configureOutput({
      writeOut(text) {
        help += text;
      },
    });
    command.outputHelp();
    return { name: ["meshboot", ...words].join(" "), words, help };
  });

  it.each(told)("$name has examples that run as they are printed", async ({ words, help }) => {
    const { line } = demo;
    const shown = await line.run([...words, "--help"]);
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(shown.out).toMatch(/^Usage: .*\n\n[A-Z]/);
    const examples = examplesIn(help);
    expect(examplesIn(shown.out)).toEqual(examples);
    expect(examples.length, "examples").toBeGreaterThan(0);
    for (const example of examples) {
      await demo.renew();
      const ran = await (example.includes("meshboot restore") ? inEmptyMesh(example) : ready(example));
      expect(ran.code, `${example}\n${ran.out}${ran.err}`).toBe(OTHER_CODES[example] ?? 0);
      expect(ran.err, example).not.toContain("    at ");
    }
  });

  it("meshboot names every exit code", () => {
    const [, codes = ""] = /^Exit codes:\n([\s\S]*?)\n\n/m.exec(told[0]?.help ?? "") ?? [];
    const named = [...codes.matchAll(/^ +(\d+) /gm)].map(([, code]) => Number(code));
    expect(named).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 130]);
  });

  const ready = async (example: string) => demo.line.shell(await demo.prepare(example));

  const keys = z.object({ items: z.array(z.object({ id: z.string() })) });

  /** In a deployment with nothing in it, with a backup of that in the file that it reads. */
  async function inEmptyMesh(example: string) {
    const empty = await demo.startEmpty();
    try {
      const backup = await demandOf(empty, "GET", "/v1/export");
      writeFileSync(join(demo.line.directory, "mesh.json"), JSON.stringify(backup));
      for (const { id } of keys.parse(await demandOf(empty, "GET", "/v1/keys")).items)
        await demandOf(empty, "DELETE", `/v1/keys/${id}`);
      const { url, adminToken } = empty.state;
      return await demo.line.shell(example, { MESHBOOT_URL: url, MESHBOOT_TOKEN: adminToken });
    } finally {
      await empty.close();
    }
  }
});

it("events -f hears of what happens from the Worker itself", async () => {
  await demo.renew();
  const script = `timeout 60 meshboot events -f >heard 2>&1 & follower=$!
until grep -q . heard; do sleep 0.1; done
meshboot reserve heard1 >&2
until grep -q 'heard1' heard; do sleep 0.1; done
kill $follower; cat heard`;
  const { out, err } = await demo.line.shell(script);
  expect(out, err).toMatch(/reserved {2}heard1, slot \d+/);
  expect(out).not.toContain("looking every");
});

it("tokens rotate gives another token, alone, and ends the one before when it is to", async () => {
  await demo.renew();
  const { line, mesh } = demo;
  const token = z.object({ id: z.string(), token: z.string() });
  const old = token.parse(await demo.demand("POST", "/v1/tokens", { scopes: ["read"] }));
  const codeWith = async (MESHBOOT_TOKEN: string) =>
    (await line.run(["servers"], { MESHBOOT_URL: mesh.state.url, MESHBOOT_TOKEN })).code;
  const first = await line.run(["tokens", "rotate", old.id, "--yes"]);
  expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^mba_[\w-]{22}\n$/) });
  expect(await Promise.all([old.token, first.out.trim()].map(codeWith))).toEqual([0, 0]);
  const [, id = ""] = /^Token (\S+) is good now/m.exec(first.err) ?? [];
  const second = await line.run(["tokens", "rotate", id, "--overlap", "0h", "--yes"]);
  expect(second.code, second.err).toBe(0);
  expect(await Promise.all([first.out.trim(), second.out.trim()].map(codeWith))).toEqual([4, 0]);
});

describe("files", () => {
  it("of backup and login are their owner's alone, and a backup overwrites none", async () => {
    const { line, mesh } = demo;
    await demo.renew();
    const file = join(line.directory, "private.json");
    expect(await line.run(["backup", "private.json"])).toMatchObject({ code: 0, out: "private.json\n" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = readFileSync(file, "utf8");
    const again = await line.run(["backup", "private.json"]);
    expect(again).toMatchObject({ code: 1, out: "" });
    expect(again.err).toContain("private.json is there already");
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(await line.run(["login", mesh.state.url], {}, mesh.state.adminToken)).toMatchObject({ code: 0 });
    expect(statSync(join(line.directory, "config/meshboot/contexts.json")).mode & 0o777).toBe(0o600);
  });
});
