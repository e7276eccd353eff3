/** Keeps the documentation from rotting: what it links to and lists is what is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { limitsFor, PROVIDERS } from "../../../cloud-init/provider-limits.ts";
import { PROBLEM_NAMES, problemKind } from "../../../worker/schema/problem-kinds.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const inRoot = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
const pages = [...inRoot, ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];

/** The text without fenced blocks, in which `[a](b)` and `#` mean something else. */
function prose(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "");
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The relative links of a page that lead nowhere. */
function deadLinks(page: string): string[] {
  const links = [...prose(read(page)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : relative(ROOT, join(ROOT, dirname(page), path));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
  });
}

/** wrangler.jsonc without its comments. */
function wranglerJson(): unknown {
  return JSON.parse(read("wrangler.jsonc").replace(/^\s*\/\/.*$/gm, ""));
}

/** The secrets that the operator sets. */
function secretNames(): string[] {
  return [...read(".dev.vars.example").matchAll(/^([A-Z_]+)=/gm)].map(([, name = ""]) => name);
}

/** The rows of the table under a heading, cell by cell, without its head. */
function tableUnder(page: string, heading: string): string[][] {
  const section = read(page).split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| (`[a-z-]+` .*)\|$/gm)].map(([, row = ""]) =>
    row.split("|").map((cell) => cell.trim().replaceAll("`", "")),
  );
}

test.each(pages)("%s links only to what is there", (page) => {
  expect(deadLinks(page)).toEqual([]);
});

test("a link that leads nowhere would be found", () => {
  expect(anchorsOf("# One `two`, three\n```\n# no\n```\n")).toEqual(["one-two-three"]);
  expect(pages.length).toBeGreaterThan(inRoot.length);
});

test("every problem is in the API's table, with its status, in its order", () => {
  const rows = tableUnder("docs/api.md", "Problems").map(([name, status]) => [name, Number(status)]);
  expect(rows).toEqual(PROBLEM_NAMES.map((name) => [name, problemKind(name).status]));
});

test("the table of providers has their limits, and what is counted", () => {
  const rows = tableUnder("docs/user-data.md", "Providers' limits").map((cells) => cells.slice(0, 4));
  const wanted = limitsFor("").map(({ provider, limit, counted, note }) => [
    provider,
    limit === null ? "-" : String(limit),
    counted,
    note ?? "",
  ]);
  expect(rows).toEqual(wanted);
  expect(rows.map(([provider]) => provider)).toEqual(PROVIDERS);
});

describe("names", () => {
  test("every binding and setting has a description for the Deploy button; that of CALLS says all that it limits", () => {
    const { cloudflare } = z
      .object({
        cloudflare: z.object({ bindings: z.record(z.string(), z.object({ description: z.string() })) }),
      })
      .parse(JSON.parse(read("package.json")));
    const config = z
      .object({
        durable_objects: z.object({ bindings: z.array(z.object({ name: z.string() })) }),
        kv_namespaces: z.array(z.object({ binding: z.string() })),
        ratelimits: z.array(z.object({ name: z.string(), simple: z.object({ limit: z.number() }) })),
        vars: z.record(z.string(), z.string()),
      })
      .parse(wranglerJson());
    const [calls] = config.ratelimits;
    expect(Object.keys(cloudflare.bindings).sort()).toEqual(
      [
        ...config.durable_objects.bindings.map(({ name }) => name),
        ...config.kv_namespaces.map(({ binding }) => binding),
        ...config.ratelimits.map(({ name }) => name),
        ...Object.keys(config.vars),
        ...secretNames(),
      ].sort(),
    );
    for (const part of ["enrol", "/boot", "heartbeat", "/healthz", `${calls?.simple.limit} calls a minute`])
      expect(cloudflare.bindings["CALLS"]?.description).toContain(part);
  });

  test("every setting of wrangler.jsonc is in the page on deployment", () => {
    const config = z.object({ vars: z.record(z.string(), z.string()) }).parse(wranglerJson());
    const secrets = secretNames();
    const text = read("docs/deploy.md");
    const wanted = [...Object.entries(config.vars), ...secrets.map((name) => [name, ""] as const)];
    expect(wanted.length).toBeGreaterThan(secrets.length);
    for (const [name, value] of wanted) {
      const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\` `));
      expect(row, name).toContain(value);
    }
  });

  test.each(pages)("every npm script that %s names exists", (page) => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read("package.json")));
    const named = [...read(page).matchAll(/\bnpm (?:run )?([a-z][a-z:]*)/g)].map(([, name = ""]) => name);
    const known = [...Object.keys(scripts), "ci"];
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});
