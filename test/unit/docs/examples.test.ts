/** Runs the documentation's calls as they are printed, against what `npm start` starts. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalMesh, startLocalMesh } from "../../../scripts/local/local-mesh.ts";
import { welcome } from "../../../scripts/local/welcome.ts";
import { adminTokenSchema } from "../../../worker/schema/admin-token.ts";
import { agentSchema } from "../../../worker/schema/agent.ts";
import { keySchema } from "../../../worker/schema/key.ts";
import { nodesSchema } from "../../../worker/schema/lease.ts";
import { newWebhookSchema } from "../../../worker/schema/webhook.ts";
import { available } from "../../agent/shells.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (page: string): string => readFileSync(join(ROOT, page), "utf8");
const pages = [
  "README.md",
  "SECURITY.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** What a page has a shell run, block by block, but without what sets the reader's own values. */
const shellBlocks = (page: string): string[] =>
  [...read(page).matchAll(/^( *)```sh\n([\s\S]*?)^ *```/gm)].map(([, indent = "", block = ""]) =>
    block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
const withCalls = (page: string): string[] =>
  shellBlocks(page)
    .map((block) => block.replaceAll(/^export .*\n/gm, ""))
    .filter((block) => /^curl /m.test(block));

const hasCurl = available("curl", ["--version"], "the documentation's calls are not made");

const directory = mkdtempSync(join(tmpdir(), "meshboot-examples-"));
let mesh: LocalMesh;
let values: Record<string, string>;

beforeAll(async () => {
  mesh = await startLocalMesh(
    { host: "127.0.0.1", port: 0, directory: join(directory, ".meshboot"), central: undefined },
    () => {},
  );
  const { sha256 } = agentSchema.parse(await (await fetch(`${mesh.state.url}/agent`)).json());
  values = {
    MESHBOOT: mesh.state.url,
    ADMIN_TOKEN: mesh.state.adminToken,
    KEY: mesh.state.enrolmentKey,
    SHA256: sha256,
    ZEROTIER_NETWORK: mesh.state.network,
    ZEROTIER_TOKEN: mesh.state.centralToken,
  };
});
afterAll(async () => {
  await mesh.close();
  rmSync(directory, { recursive: true });
});

/** Runs a block; `err` has each call's status in a line of its own. What would be run by `sh` is only read by it. */
async function run(block: string, env: Record<string, string>): Promise<{ out: string; err: string }> {
  const script = `curl() { command curl -w '%{stderr}[%{http_code}]\\n' "$@"; }\n${block}`
    .replaceAll(/\| (sudo )?sh\b.*$/gm, "| sh -n")
    .replaceAll("https://api.zerotier.com/api/v1", mesh.state.centralUrl)
    .replaceAll("http://127.0.0.1:9080", new URL(mesh.state.centralUrl).origin);
  const shell = spawn("sh", ["-ec", script], {
    cwd: directory,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([textOf(shell.stdout), textOf(shell.stderr)]);
  return { out, err };
}

const admin = (method: string, path: string, body: object) =>
  fetch(`${mesh.state.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${mesh.state.adminToken}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

/** Has what a block is about: its nodes, unless it makes them, and a key, admin token or webhook in place of the one that it names. */
async function prepared(block: string): Promise<string> {
  for (const [, node = ""] of block.matchAll(/\/v1\/nodes\/([0-9a-f]{10})\b/g))
    if (!block.includes("-X PUT")) await admin("PUT", `/v1/nodes/${node}`, { name: `before-${node}` });
  for (const [, name] of block.matchAll(/"reservation":"([a-z0-9-]+)","takeover":true/g))
    await admin("PUT", "/v1/nodes/5e5e5e5e5e", { name });
  const webhook = block.includes("/v1/webhooks/") ? await anyWebhook() : "";
  const { id } = keySchema.parse(await (await admin("POST", "/v1/keys", {})).json());
  const token = adminTokenSchema.parse(
    await (await admin("POST", "/v1/tokens", { scopes: ["read"] })).json(),
  );
  return (
    block
      .replaceAll(/(?<=\/v1\/keys\/)[0-9a-f]{16}/g, id)
      // The mesh has had no other ADMIN_TOKEN.
      .replaceAll(/(?<=\/v1\/tokens\/)([0-9a-f]{16}|former)/g, token.id)
      .replaceAll(/(?<=\/v1\/webhooks\/)[0-9a-f]{16}/g, webhook)
  );
}

/** The id of a webhook, which gets no event. */
async function anyWebhook(): Promise<string> {
  const url = "https://hooks.example.com/";
  const made = await admin("POST", "/v1/webhooks", { url, actions: ["webhook-deleted"] });
  return newWebhookSchema.parse(await made.json()).id;
}

/** Runs a block that needs a deployment with nothing in it: in one of its own, with a backup of that in the file that it names. */
async function runInEmptyMesh(block: string): Promise<{ out: string; err: string }> {
  const empty = await startLocalMesh(
    { host: "127.0.0.1", port: 0, directory: mkdtempSync(join(directory, "empty-")), central: undefined },
    () => {},
  );
  const { url, adminToken } = empty.state;
  const headers = { Authorization: `Bearer ${adminToken}` };
  const call = async (method: string, path: string) =>
    (await fetch(`${url}${path}`, { method, headers })).text();
  const backup = await call("GET", "/v1/export");
  const [, file] = /@(\S+\.json)/.exec(block) ?? [];
  if (file !== undefined) writeFileSync(join(directory, file), backup);
  for (const id of (await call("GET", "/v1/keys")).match(/(?<="id":")[0-9a-f]{16}/g) ?? [])
    await call("DELETE", `/v1/keys/${id}`);
  try {
    return await run(block, { ...values, MESHBOOT: url, ADMIN_TOKEN: adminToken });
  } finally {
    await empty.close();
  }
}

describe.skipIf(!hasCurl)("the calls of", () => {
  it.each(pages.filter((page) => withCalls(page).length > 0))(
    "%s are taken as they are printed",
    async (page) => {
      for (const block of withCalls(page)) {
        const { out, err } = await (/\/v1\/(restore|rebuild)\b/.test(block)
          ? runInEmptyMesh(block)
          : run(await prepared(block), values));
        const calls = block.match(/^curl /gm) ?? [];
        expect(err.match(/.+/gm), `${block}${out}`).toEqual(
          calls.map(() => expect.stringMatching(/^\[2\d\d\]$/)),
        );
      }
    },
  );

  it("docs/api.md are made with what npm start has written down", async () => {
    const [setting = ""] = shellBlocks("docs/api.md").filter((block) => block.startsWith("export MESHBOOT="));
    const { out } = await run(`${setting}echo "$MESHBOOT $ADMIN_TOKEN"\n`, {});
    expect(out).toBe(`http://127.0.0.1:8787 ${mesh.state.adminToken}\n`);
  });

  it("docs/api.md show a node with all that it has, and nothing else", async () => {
    const [shown = ""] = [...read("docs/api.md").matchAll(/^```json\n([\s\S]*?)^```/gm)].map(
      ([, json]) => json,
    );
    const { items } = nodesSchema.parse(JSON.parse(shown.replaceAll('"…"', '"2026-08-01T12:00:00.000Z"')));
    await admin("PUT", "/v1/nodes/4e8d87c868", { name: "shown" });
    const { out } = await run(
      'curl -s "$MESHBOOT/v1/nodes?name=shown" -H "Authorization: Bearer $ADMIN_TOKEN"\n',
      values,
    );
    const { items: there } = nodesSchema.parse(JSON.parse(out));
    const fields = (nodes: typeof items) => nodes.map((node) => Object.keys(node).sort());
    expect(fields(items)).toEqual(fields(there));
  });
});

it("README shows what npm start prints", () => {
  const [, shown = ""] = /^```text\n(Meshboot runs\.[\s\S]*?)^```/m.exec(read("README.md")) ?? [];
  const { network } = mesh.state;
  const [, port = ""] = /Central +http:\/\/127\.0\.0\.1:(\d+)/.exec(shown) ?? [];
  const printed = welcome(
    {
      url: "http://127.0.0.1:8787",
      adminToken: "mba_…",
      enrolmentKey: "mbk_…",
      network,
      centralUrl: `http://127.0.0.1:${port}/api/v1`,
      centralToken: "",
    },
    { directory: ".meshboot", isSimulated: true, elsewhere: undefined },
  );
  expect(shown).toBe(printed.trimStart());
});
