/** What an operator once wrote into wrangler.jsonc, and what is deployed instead. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSettings } from "../../../scripts/deploy/settings.ts";
import {
  generatedConfig,
  isUntouched,
  readConfig,
  trackedConfig,
} from "../../../scripts/deploy/wrangler-config.ts";

const TRACKED = fileURLToPath(new URL("../../../wrangler.jsonc", import.meta.url));
let root: string;
const edit = (from: string, to: string): void => {
  const path = join(root, "wrangler.jsonc");
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "meshboot-config-test-"));
  copyFileSync(TRACKED, join(root, "wrangler.jsonc"));
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Operator", "-c", "user.email=op@example.com", ...args], {
      cwd: root,
    });
  git("init", "--quiet");
  git("add", "wrangler.jsonc");
  git("commit", "--quiet", "--message", "As released");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test("an untouched wrangler.jsonc has nothing to take over", () => {
  const { tracked, edits } = trackedConfig(root);
  expect(isUntouched(edits)).toBe(true);
  expect(tracked).toEqual(readConfig(TRACKED));
});

test("what operator and wrangler wrote into it is found whole, and the tracked file stays the base", () => {
  edit('"ZEROTIER_NETWORK": ""', '"ZEROTIER_NETWORK": "8056c2e21c000001"');
  edit('{ "binding": "LEASES" }', '{ "binding": "LEASES", "id": "0123456789abcdef0123456789abcdef" }');
  edit(
    '"minify": true,',
    '"minify": true, "routes": [{ "pattern": "mesh.example.com", "custom_domain": true }],',
  );
  edit('"name": "meshboot"', '"name": "production"');
  const { tracked, edits } = trackedConfig(root);
  expect(edits).toEqual({
    name: "production",
    vars: { ZEROTIER_NETWORK: "8056c2e21c000001" },
    kv: "0123456789abcdef0123456789abcdef",
    wrangler: { routes: [{ pattern: "mesh.example.com", custom_domain: true }] },
  });
  expect(tracked).toEqual(readConfig(TRACKED));
});

test("without git the file on disk is what there is", () => {
  rmSync(join(root, ".git"), { recursive: true });
  edit('"ROUTE_LIMIT": "32"', '"ROUTE_LIMIT": "8"');
  const { tracked, edits } = trackedConfig(root);
  expect(tracked.vars["ROUTE_LIMIT"]).toBe("8");
  expect(isUntouched(edits)).toBe(true);
});

test("the generated configuration is the tracked one with the deployment's own name, account, KV, limits and settings", () => {
  const { tracked } = trackedConfig(root);
  const folder = join(root, "deployments/production");
  const config = generatedConfig({ root, folder, name: "production" }, tracked, {
    ...readSettings(folder),
    account: "a".repeat(32),
    kv: "b".repeat(32),
    rateLimits: { CALLS: "5000001", NODE_CALLS: "5000002" },
    vars: { ZEROTIER_NETWORK: "8056c2e21c000001" },
    wrangler: { routes: [{ pattern: "mesh.example.com", custom_domain: true }] },
  });
  const { $schema: _, ...rest } = tracked;
  expect(config).toEqual({
    ...rest,
    name: "production",
    main: "../../worker/main.ts",
    account_id: "a".repeat(32),
    kv_namespaces: [{ binding: "LEASES", id: "b".repeat(32) }],
    ratelimits: tracked.ratelimits.map((limit, at) => ({ ...limit, namespace_id: `500000${at + 1}` })),
    vars: { ...tracked.vars, ZEROTIER_NETWORK: "8056c2e21c000001" },
    routes: [{ pattern: "mesh.example.com", custom_domain: true }],
  });
});

test("settings that cannot be read are named with their remedy", () => {
  writeFileSync(join(root, "settings.json"), "{");
  expect(() => readSettings(root)).toThrow(/settings\.json is no JSON .*correct it/);
  writeFileSync(join(root, "settings.json"), '{"network":"8056c2e21c000001"}');
  expect(() => readSettings(root)).toThrow(/has settings that are not known.*network/s);
});
