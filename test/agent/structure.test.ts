// The rooms of the agent: base knows no step, no step another one, and verbs know of a step what it promises.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";

const FOLDER = new URL("../../cloud-init/agent/", import.meta.url);
const PARTS = ["up", "down", "consent", "purge", "state", "keep", "status", "doctor", "bake"];

interface Source {
  /** `base`, `verbs`, or `steps/<file or folder>`. */
  readonly room: string;
  readonly path: string;
  readonly functions: readonly string[];
  /** Words where a command can stand, without those in comments and quotes. */
  readonly commands: ReadonlySet<string>;
}

/** The text without here-documents, comments, patterns of `case` and quoted texts, but with the commands that these run. */
function code(text: string): string {
  return text
    .replace(/<<(?:-?)'?([A-Z]+)'?([^\n]*)\n[\s\S]*?\n\1\n/g, "$2\n")
    .replace(/(^|\s)#.*$/gm, "$1")
    .replace(/'[^']*'/g, "''")
    .replace(/^\s*(?:[^\s()]+ \| )*[^\s()$]+\)/gm, ";")
    .replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => (quoted.match(/\$\([a-z_0-9 ]+/g) ?? []).join("; "));
}

const sources = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((path) => /^(base|steps|verbs)\/.*\.sh$/.test(path))
  .map((path): Source => {
    const text = readFileSync(new URL(path, FOLDER), "utf8");
    const [floor = "", room = ""] = path.replace(/\.sh$/, "").split("/");
    const words = code(text).matchAll(
      /(?:^|[;&|({!]|\b(?:then|else|do|if|elif|while|until)\b)\s*(?:![ ])?([a-z_][a-z_0-9]*)\b(?!=)/gm,
    );
    return {
      room: floor === "steps" ? `steps/${room}` : floor,
      path,
      functions: Array.from(text.matchAll(/^([a-z_0-9]+)\(\) [({]/gm), ([, name]) => name ?? ""),
      commands: new Set(Array.from(words, ([, word]) => word ?? "")),
    };
  });

const home = new Map(sources.flatMap(({ room, functions }) => functions.map((name) => [name, room])));
const steps = (/^STEPS='([^']+)'/m.exec(AGENT.program)?.[1] ?? "").split(/\s+/);
const promised = new Set(steps.flatMap((step) => PARTS.map((part) => `${step}_${part}`)));

/** Calls from one room into another, `file -> function (room)`. */
function calls(isAsked: (from: Source, name: string, to: string) => boolean): string[] {
  return sources.flatMap((from) =>
    [...from.commands].flatMap((name) => {
      const to = home.get(name);
      return to !== undefined && to !== from.room && isAsked(from, name, to)
        ? [`${from.path} -> ${name} (${to})`]
        : [];
    }),
  );
}

describe("the agent's rooms", () => {
  it("are seen: calls within a floor, and down to base", () => {
    expect(calls((from, _, to) => from.room.startsWith("steps/") && to === "base").length).toBeGreaterThan(
      100,
    );
    expect(calls(({ room }, name) => room === "verbs" && name === "take_each")).toEqual([]);
    expect(home.get("take_each")).toBe("verbs");
  });

  it("base calls no step and no verb", () => {
    expect(calls(({ room }) => room === "base")).toEqual([]);
  });

  it("no step calls another one, nor a verb: so there is no circle among them", () => {
    expect(calls(({ room }, _, to) => room.startsWith("steps/") && to !== "base")).toEqual([]);
  });

  it("verbs call of a step only what it promises", () => {
    expect(
      calls(({ room }, name, to) => room === "verbs" && to.startsWith("steps/") && !promised.has(name)),
    ).toEqual([]);
  });

  it("no function is defined twice, and every file is in FILES of cloud-init/agent/program.ts", () => {
    const names = sources.flatMap(({ functions }) => functions);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    const missing = sources.filter(({ functions }) =>
      functions.some((name) => !AGENT.program.includes(`\n${name}() `)),
    );
    expect(missing.map(({ path }) => `${path} is not in FILES`)).toEqual([]);
  });
});

describe("the list of steps", () => {
  const defined = sources
    .filter(({ room }) => room.startsWith("steps/"))
    .flatMap(({ functions }) => functions);

  it("names each step once, and each is there", () => {
    expect(steps.filter((step, index) => steps.indexOf(step) !== index)).toEqual([]);
    expect(steps.filter((step) => !PARTS.some((part) => defined.includes(`${step}_${part}`)))).toEqual([]);
  });

  it("names every step that is there, in STEPS of verbs/steps.sh, with _ for -", () => {
    const parts = new RegExp(`^[a-z0-9_]+_(?:${PARTS.join("|")})$`);
    expect(defined.filter((name) => parts.test(name) && !promised.has(name))).toEqual([]);
  });

  it("has each link that doctor looks at", () => {
    const looked = sources.flatMap(({ path }) =>
      Array.from(
        readFileSync(new URL(path, FOLDER), "utf8").matchAll(/^ +look ([a-z0-9_]+)/gm),
        ([, link]) => link,
      ),
    );
    expect(looked.length).toBeGreaterThan(15);
    expect(looked.filter((link) => !home.has(`doctor_${link}`))).toEqual([]);
  });

  it("is that of docs/node.md, and its links are those of docs/doctor.md", () => {
    const rows = (page: string): string[] => {
      const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
      return text.split("\n").flatMap((line) => /^\| (.+?) +\|/.exec(line)?.[1]?.split(", ") ?? []);
    };
    const told = rows("node.md");
    const taken = steps.filter((step) => defined.includes(`${step}_up`));
    expect(taken.filter((step) => !told.includes(step.replaceAll("_", "-")))).toEqual([]);
    const links = [...home.keys()].flatMap((name) => /^doctor_([a-z0-9_]+)$/.exec(name)?.[1] ?? []);
    expect(links.filter((link) => !rows("doctor.md").includes(`\`${link}\``))).toEqual([]);
  });

  it("knows what each step that puts something in place looks at", () => {
    const silent = steps.filter(
      (step) => defined.includes(`${step}_up`) && !defined.includes(`${step}_state`),
    );
    expect(silent).toEqual([]);
  });
});
