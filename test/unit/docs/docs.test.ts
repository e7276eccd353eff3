/** Keeps the documentation from rotting: what it links to and lists is what is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { AGENT } from "../../../cloud-init/agent/program.ts";
import { FORMS, optionsSchema } from "../../../cloud-init/options.ts";
import { limitsFor, PROVIDERS } from "../../../cloud-init/provider-limits.ts";
import { prepare } from "../../../cloud-init/user-data.ts";
import { contains, encloses, parseAddress, parsePrefix } from "../../../worker/address/prefix.ts";
import { DEED_ACTIONS, DEED_REASONS } from "../../../worker/lease/deed.ts";
import { LEFT_REASONS } from "../../../worker/schema/adoption.ts";
import { eventsSchema } from "../../../worker/schema/events.ts";
import { keyTermsSchema } from "../../../worker/schema/key.ts";
import { PROBLEM_NAMES, problemKind } from "../../../worker/schema/problem-kinds.ts";
import { userDataRequestSchema } from "../../../worker/schema/user-data.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const inRoot = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
const pages = [
  ...inRoot,
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

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

/** What stands as code in a page: its fenced blocks and its code spans. */
function codeOf(page: string): string {
  const text = read(page);
  const blocks = [...text.matchAll(/^ *```[a-z]*\n([\s\S]*?)^ *```/gm)];
  return [...blocks, ...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code).join("\n");
}

test.each(pages)("every command of the agent that %s names is in its help, with its options", (page) => {
  const [, usage = ""] = /^usage\(\) \{\n {2}cat <<EOF\n([\s\S]*?)^EOF$/m.exec(AGENT.program) ?? [];
  const verbs = [...usage.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb);
  expect(verbs).toContain("upgrade");
  const named = [...codeOf(page).matchAll(/(?:^|[;&|] )meshboot ([a-z]+)((?: --[a-z][a-z-]*)*)/gm)];
  for (const [command, verb, options = ""] of named) {
    expect(verbs, command).toContain(verb);
    for (const option of options.split(" ").filter((word) => word !== ""))
      expect(usage, command).toContain(option);
  }
});

test("the page on fixed addresses has them within the networks, the networks within the upper half of the lease", () => {
  const page = read("docs/fixed-address.md");
  const prefix = (text: string) => parsePrefix(text) ?? expect.unreachable(`${text} is no prefix`);
  const address = (text: string) => parseAddress(text) ?? expect.unreachable(`${text} is no address`);
  const ofDatabase = z.object({
    services: z.object({
      db: z.object({
        networks: z.object({ default: z.object({ ipv4_address: z.string(), ipv6_address: z.string() }) }),
      }),
    }),
    networks: z.object({
      default: z.object({ ipam: z.object({ config: z.array(z.object({ subnet: z.string() })) }) }),
    }),
  });
  const [, lease = "", lease6 = ""] = /^containers +(\S+), (\S+)$/m.exec(page) ?? [];
  const [yaml = ""] = [...page.matchAll(/^```yaml\n([^`]*)```/gm)].map(([, text = ""]) => text);
  const { services, networks } = ofDatabase.parse(load(yaml));
  const subnets = networks.default.ipam.config.map(({ subnet }) => subnet);
  const { ipv4_address: ipv4, ipv6_address: ipv6 } = services.db.networks.default;
  expect(
    subnets.map((subnet) => [lease, lease6].map((whole) => encloses(prefix(whole), prefix(subnet)))),
  ).toEqual([
    [true, false],
    [false, true],
  ]);
  const upper = [lease.replace(".0/24", ".128/25"), lease6.replace("::/80", ":8000::/81")];
  expect(subnets.map((subnet, at) => encloses(prefix(upper[at] ?? ""), prefix(subnet)))).toEqual([
    true,
    true,
  ]);
  expect(subnets.map((subnet, at) => contains(prefix(subnet), address([ipv4, ipv6][at] ?? "")))).toEqual([
    true,
    true,
  ]);
  // The same in the command without Compose, and what the app is told.
  expect(page).toContain(`--subnet ${subnets[0]} --subnet ${subnets[1]} db\n`);
  expect(page).toContain(`--ip ${ipv4} --ip6 ${ipv6} `);
  expect(page).toContain(`extra_hosts: ["db:${ipv4}"]`);
});

test("README's tables list every page", () => {
  const listed = [...read("README.md").matchAll(/^\| \[(docs\/[a-z-]+\.md)\]\(\1\)/gm)].map(
    ([, page]) => page,
  );
  expect(listed.sort()).toEqual(pages.filter((page) => page.startsWith("docs/")).sort());
});

test("README says near its top what was never tried", () => {
  const [top = ""] = read("README.md").split("\n## ");
  expect(top).toContain("**Never tried on live ZeroTier and Cloudflare.**");
});

test("every problem is in the API's table, with its status, in its order", () => {
  const rows = tableUnder("docs/api.md", "Problems").map(([name, status]) => [name, Number(status)]);
  expect(rows).toEqual(PROBLEM_NAMES.map((name) => [name, problemKind(name).status]));
});

test("the page on the API has every word of the audit log, and an event with all that it has", () => {
  const part = read("docs/api.md").split("\n### Events\n")[1]?.split("\n### ")[0] ?? "";
  for (const word of [...DEED_ACTIONS, ...DEED_REASONS]) expect(part).toContain(`\`${word}\``);
  const shown: unknown = JSON.parse(/^```json\n([\s\S]*?)^```/m.exec(part)?.[1] ?? "");
  expect(eventsSchema.parse({ items: [shown], next: null }).items).toEqual([shown]);
});

test("the page on adopting has every reason for which a member is left, in its order", () => {
  const rows = tableUnder("docs/adopt.md", "Why a member is left").map(([reason]) => reason);
  expect(rows).toEqual([...LEFT_REASONS]);
});

test("the page on user-data has every form, every option, and what a key may do", () => {
  const rows = (from: string, to: string) => {
    const part = read("docs/user-data.md").split(from)[1]?.split(to)[0] ?? "";
    return [...part.matchAll(/^\| `([A-Za-z0-9-]+)` /gm)].map(([, name = ""]) => name).sort();
  };
  const { form: _, cloudConfig: __, ...options } = userDataRequestSchema.shape;
  expect(rows("\n## Forms\n", "\n### ")).toEqual([...FORMS].sort());
  expect(rows("\n## Options\n", "The key's terms")).toEqual(Object.keys(options).sort());
  expect(rows("The key's terms", "\n## ")).toEqual(Object.keys(keyTermsSchema.shape).sort());
});

test("the sizes on the page on user-data are those of today, in hundreds of bytes and tens of lines", () => {
  const page = read("docs/user-data.md");
  const url = "https://meshboot.your-subdomain.workers.dev";
  const options = optionsSchema.parse({ name: "web1" });
  for (const form of ["cloud-config", "script"] as const) {
    const { bytes } = prepare({ form, url, options, allowOverlap: false, agent: AGENT });
    const figure = new RegExp(`^\\| \`${form}\` .*, about ([\\d,]+) bytes`, "m").exec(page)?.[1];
    expect([form, figure]).toEqual([form, (Math.round(bytes / 100) * 100).toLocaleString("en")]);
  }
  const lines = AGENT.fetch.trimEnd().split("\n").length;
  expect(page).toContain(`some ${Math.round(lines / 10) * 10} lines of shell`);
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
    const known = [...Object.keys(scripts), "ci", "rebuild"];
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe("lists of what is there", () => {
  const testsIn = (folder: string) =>
    readdirSync(join(ROOT, folder)).flatMap((file) => (file.endsWith(".test.ts") ? [file.slice(0, -8)] : []));

  test("the page on testing names each file of test/mesh, and the one beside test/boot each of that", () => {
    const testing = read("docs/testing.md");
    const isNamed = (name: string) =>
      ["`", "`npm run test:mesh -- "].some((before) => testing.includes(`${before}${name}\``));
    expect(testsIn("test/mesh").filter((name) => !isNamed(name))).toEqual([]);
    const boot = read("test/boot/README.md");
    expect(testsIn("test/boot").filter((name) => !boot.includes(`\`${name}.test.ts\``))).toEqual([]);
  });

  test("the page on nodes has each verb of the agent", () => {
    const cases = read("cloud-init/agent/verbs/main.sh").split('case "$*" in')[1] ?? "";
    const verbs = [...cases.matchAll(/^ {2}'?([a-z]+)/gm)].map(([, verb = ""]) => verb);
    expect(verbs).toContain("up");
    const page = read("docs/node.md");
    const wanted = new Set(verbs.filter((verb) => verb !== "esac"));
    expect([...wanted].filter((verb) => !page.includes(`| \`meshboot ${verb}`))).toEqual([]);
  });

  test("the page for contributors has each function that a step may define", () => {
    const parts = read("cloud-init/agent/verbs/steps.sh").matchAll(/^# {3}X_([a-z]+) /gm);
    const names = Array.from(parts, ([, part = ""]) => part);
    expect(names).toContain("up");
    const page = read("CONTRIBUTING.md");
    expect(names.filter((part) => !page.includes(`\`motd_${part}\``))).toEqual([]);
  });
});
