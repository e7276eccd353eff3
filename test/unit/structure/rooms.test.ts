/** The Worker's rooms: which folder may import which, and how large one may be. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const WORKER = fileURLToPath(new URL("../../../worker/", import.meta.url));

/**
 * The floors of the house, from the ground up. A folder is a room; a file that lies in none is one by itself. What is
 * in a room imports from its own and from those below, types included.
 */
const FLOORS = [
  "base",
  "address",
  "lease",
  "identity",
  "config",
  "controller",
  "schema",
  "store",
  "reach",
  "outbox",
  "reconcile",
  "webhook",
  "backup",
  "network",
  "env.ts",
  "http",
  "agent",
  "routes",
  "dashboard",
  "app.ts",
  "main.ts",
];

/** The most of the Worker, by files and by lines, that one room may hold. */
const LARGEST_SHARE = 0.2;

interface Source {
  readonly path: string;
  readonly room: string;
  readonly lines: number;
  readonly imports: readonly string[];
  /** Those that are left when the types are gone. */
  readonly atRunTime: readonly string[];
  readonly packages: readonly string[];
}

/** The files of the Worker, whose rooms follow from their paths; declarations (`.d.ts`) are in none. */
function sourcesIn(directory: string): Source[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts"))
    .sort()
    .map((path) => read(path, readFileSync(join(directory, path), "utf8")));
}

function read(path: string, text: string): Source {
  const inside = (targets: readonly string[]): string[] =>
    targets
      .filter((target) => target.startsWith("."))
      .map((target) => normalize(join(dirname(path), target)))
      .filter((target) => !target.startsWith(".."));
  const all = targetsOf(text);
  return {
    path,
    room: roomOf(path),
    lines: text.split("\n").length - 1,
    imports: inside(all),
    atRunTime: inside(targetsOf(text.replace(/^(?:import|export) type [^;]*;$/gm, ""))),
    packages: all.filter((target) => !target.startsWith(".")),
  };
}

function targetsOf(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*"([^"\n]+)"/g)].map(([, target = ""]) => target);
}

function roomOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** The imports that go from a room to one above it, or to one that has no floor. */
function arrowsUp(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, room, imports }) =>
    imports
      .filter((target) => {
        const floor = FLOORS.indexOf(roomOf(target));
        return floor < 0 || floor > FLOORS.indexOf(room);
      })
      .map((target) => `${path} → ${target}`),
  );
}

/** What can be left by imports and come back to by others: rooms, or files, as `of` makes them of a path. */
function circles(sources: readonly Source[], of: (path: string) => string): string[] {
  const reached = new Map<string, Set<string>>();
  for (const { path, imports } of sources) {
    const from = of(path);
    const targets = reached.get(from) ?? new Set();
    for (const target of imports) if (of(target) !== from) targets.add(of(target));
    reached.set(from, targets);
  }
  // Warshall: by way of one more room at a time.
  for (const [via, beyond] of reached)
    for (const targets of reached.values())
      if (targets.has(via)) for (const target of beyond) targets.add(target);
  return [...reached].filter(([from, targets]) => targets.has(from)).map(([from]) => from);
}

/** The rooms by a measure of their files, the largest first, as shares of the whole. */
function shares(
  sources: readonly Source[],
  measure: (source: Source) => number,
): { room: string; share: number }[] {
  const whole = sources.reduce((sum, source) => sum + measure(source), 0);
  return [...Map.groupBy(sources, ({ room }) => room)]
    .map(([room, files]) => ({
      room,
      share: files.reduce((sum, source) => sum + measure(source), 0) / whole,
    }))
    .sort((a, b) => b.share - a.share);
}

const sources = sourcesIn(WORKER);

test("every room has its floor", () => {
  expect([...new Set(sources.map(({ room }) => room))].filter((room) => !FLOORS.includes(room))).toEqual([]);
});

test("no import goes up", () => {
  expect(arrowsUp(sources)).toEqual([]);
});

test("no room is on a circle", () => {
  expect(circles(sources, roomOf)).toEqual([]);
});

test("no file is on a circle", () => {
  expect(circles(sources, (path) => path)).toEqual([]);
});

test.each([
  ["lines", ({ lines }: Source) => lines],
  ["files", () => 1],
] as const)("no room holds more than a fifth of the Worker's %s", (_, measure) => {
  expect(shares(sources, measure).filter(({ share }) => share > LARGEST_SHARE)).toEqual([]);
});

test("the pure rules know neither hono nor Cloudflare", () => {
  const pure = ["base", "address", "lease", "identity"];
  const packages = sources.filter(({ room }) => pure.includes(room)).flatMap((source) => source.packages);
  expect([...new Set(packages)]).toEqual(["ipaddr.js"]);
});

test("what stands below the wire takes only types from the schemas", () => {
  const below = FLOORS.slice(FLOORS.indexOf("schema") + 1, FLOORS.indexOf("http"));
  const users = sources.filter(({ room }) => below.includes(room));
  expect(users.flatMap(({ imports }) => imports).some((target) => roomOf(target) === "schema")).toBe(true);
  const taken = users.filter(({ atRunTime }) => atRunTime.some((target) => roomOf(target) === "schema"));
  expect(taken.map(({ path }) => path)).toEqual([]);
});

test("an arrow up, a circle and a room without a floor would be found", () => {
  const made = [
    read("store/a.ts", 'import { b } from "../network/b.ts";\nimport type { c } from "./c.ts";\n'),
    read("network/b.ts", 'export {\n  a,\n} from "../store/a.ts";\nimport "../attic/d.ts";\n'),
    read(
      "routes/e.ts",
      'const b = await import("../network/b.ts");\nimport x from "../../cloud-init/x.ts";\n',
    ),
  ];
  expect(arrowsUp(made)).toEqual(["store/a.ts → network/b.ts", "network/b.ts → attic/d.ts"]);
  expect(circles(made, roomOf)).toEqual(["store", "network"]);
  expect(circles(made, (path) => path)).toEqual(["store/a.ts", "network/b.ts"]);
  expect(made.map(({ lines }) => lines)).toEqual([2, 4, 2]);
  expect(sources.length).toBeGreaterThan(50);
});
