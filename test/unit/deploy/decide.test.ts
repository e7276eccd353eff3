/** What a deployment is decided to be, from flags, settings, an edited wrangler.jsonc and what is at Cloudflare. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { DeployedWorker } from "../../../scripts/deploy/cloudflare.ts";
import { decide } from "../../../scripts/deploy/decide.ts";
import type { DeployOptions } from "../../../scripts/deploy/options.ts";
import { Place } from "../../../scripts/deploy/place.ts";
import { type Edits, editsBetween, readConfig } from "../../../scripts/deploy/wrangler-config.ts";
import { type RunningCentral, startCentral } from "../../../scripts/simulated-central/server.ts";

const NETWORK = "8056c2e21c000001";
const TOKEN = "central-token-of-the-tests-0123456789";
const tracked = readConfig(fileURLToPath(new URL("../../../wrangler.jsonc", import.meta.url)));
const UNTOUCHED = editsBetween(tracked, tracked);
let central: RunningCentral;
let directory: string;
let tokenFile: string;

beforeAll(async () => {
  central = await startCentral({ token: TOKEN, networks: [NETWORK], limit: 1000 });
  directory = mkdtempSync(join(tmpdir(), "meshboot-decide-"));
  tokenFile = join(directory, "zerotier-token");
  writeFileSync(tokenFile, `${TOKEN}\n`);
});

afterAll(async () => {
  await central.close();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(() => setNetwork({ private: true, routes: [] }));

/** What an operator sets in the web panel. */
async function setNetwork(config: object): Promise<void> {
  const answer = await fetch(`${central.url}/network/${NETWORK}`, {
    ...{ method: "POST", headers: { authorization: `token ${TOKEN}` }, body: JSON.stringify({ config }) },
  });
  expect(answer.status).toBe(200);
}

/** Decides without a terminal, for a deployment that this machine knows nothing of. */
function decided(
  given: { name?: string; edits?: Edits; worker?: DeployedWorker; options?: Partial<DeployOptions> } = {},
) {
  const options: DeployOptions = {
    ...{ name: given.name ?? "meshboot", directory: join(directory, "deployments") },
    ...{ zerotierTokenFile: tokenFile, zerotierUrl: central.url },
    ...given.options,
  };
  return decide({
    ...{ options, place: new Place(options), tracked, account: "a".repeat(32), questions: undefined },
    ...{ edits: given.edits ?? UNTOUCHED, worker: given.worker },
  });
}

const EDITED: Edits = {
  name: undefined,
  vars: { ZEROTIER_NETWORK: NETWORK, DOCKER_POOL: "172.30.0.0/16" },
  kv: "b".repeat(32),
  wrangler: { workers_dev: false },
};

test("an edited wrangler.jsonc is taken over whole, and that is said", async () => {
  const { settings, remarks } = await decided({ edits: EDITED });
  expect(settings).toMatchObject({ kv: EDITED.kv, wrangler: EDITED.wrangler });
  expect(settings.vars).toMatchObject(EDITED.vars);
  expect(remarks.join()).toMatch(
    /ZEROTIER_NETWORK, DOCKER_POOL, the KV namespace, workers_dev taken over.*git checkout/,
  );
});

/** What a deployment of that name has kept here, and what was decided of it before. */
function keep(name: string, settings: object): void {
  const folder = join(directory, "deployments", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "settings.json"), JSON.stringify(settings));
}

test("another account is refused for a deployment that is in one: both would lease the same subnets", async () => {
  const settings = { account: "b".repeat(32), vars: { ZEROTIER_NETWORK: NETWORK } };
  keep("moved", { ...settings, kv: "c".repeat(32) });
  await expect(decided({ name: "moved" })).rejects.toThrow("is in the account bbbb");
  // It was undone.
  keep("moved", settings);
  expect((await decided({ name: "moved" })).settings.account).toBe("a".repeat(32));
  keep("moved", {});
});

test("an address where the admin token could be read on the way is refused, also one that was kept", async () => {
  for (const url of [
    "http://mesh.example.com",
    "mesh.example.com",
    "https://mesh.example.com/x",
    "ftp://127.0.0.1",
  ])
    await expect(decided({ edits: EDITED, options: { url } }), url).rejects.toThrow("--url");
  keep("plain", { url: "http://mesh.example.com" });
  await expect(decided({ name: "plain", options: { network: NETWORK } })).rejects.toThrow("by https");
  keep("plain", {});
  const { settings } = await decided({ edits: EDITED, options: { url: "https://mesh.example.com/" } });
  expect(settings.url).toBe("https://mesh.example.com");
});

test("a file among the folders of deployments is none of them", async () => {
  mkdirSync(join(directory, "deployments"), { recursive: true });
  writeFileSync(join(directory, "deployments", ".DS_Store"), "");
  expect((await decided({ edits: EDITED })).settings.vars["ZEROTIER_NETWORK"]).toBe(NETWORK);
});

test("a deployment of another name takes nothing of it: it would share network and leases' copies", async () => {
  const { settings, remarks } = await decided({
    ...{ name: "staging", edits: EDITED, options: { newNetwork: "staging" } },
  });
  expect(settings.kv).toBeUndefined();
  expect(settings.vars["ZEROTIER_NETWORK"]).toBe("");
  expect(remarks.join()).toContain("takes nothing of");
});

test("a flag counts before what wrangler.jsonc was edited to", async () => {
  const { settings } = await decided({ edits: EDITED, options: { dockerPool: "172.29.0.0/16" } });
  expect(settings.vars["DOCKER_POOL"]).toBe("172.29.0.0/16");
});

test("each deployment gets rate limits of its own", async () => {
  const all = await Promise.all([decided({ edits: EDITED }), decided({ edits: EDITED })]);
  const ids = all.flatMap(({ settings }) => Object.values(settings.rateLimits));
  expect(new Set(ids).size).toBe(4);
});

test("a Meshboot that is there keeps ranges, KV, limits and secrets, once it is said that it is taken over", async () => {
  const worker: DeployedWorker = {
    ...{ version: "1", isMeshboot: true, kv: "c".repeat(32), secrets: ["ADMIN_TOKEN", "ZEROTIER_TOKEN"] },
    vars: { ...tracked.vars, ZEROTIER_NETWORK: NETWORK, DOCKER_POOL: "10.64.0.0/16" },
    rateLimits: { CALLS: "7", NODE_CALLS: "8" },
  };
  await expect(decided({ worker })).rejects.toThrow("--take-over");
  const taken = await decided({ worker, options: { takeOver: true } });
  expect(taken.settings).toMatchObject({ kv: worker.kv, rateLimits: worker.rateLimits });
  expect(taken.settings.vars).toMatchObject({ ZEROTIER_NETWORK: NETWORK, DOCKER_POOL: "10.64.0.0/16" });
  expect(taken.adminToken).toBeUndefined();
  expect(taken.secretNames).toEqual(["ZEROTIER_TOKEN"]);
});

test("a public network, and every setting that does not do, are refused with the reason before anything is made", async () => {
  await setNetwork({ private: false });
  await expect(decided({ options: { network: NETWORK } })).rejects.toThrow(
    /The settings do not do:\n.*public/,
  );
  await expect(decided({ options: { network: NETWORK, nodePrefix: "40", routeLimit: "0" } })).rejects.toThrow(
    /NODE_PREFIX is "40".*\n.*ROUTE_LIMIT is "0"/,
  );
});

test("a network that the token's account does not have is named beside those that it has", async () => {
  await expect(decided({ options: { network: "8056c2e21c0000ff" } })).rejects.toThrow(
    new RegExp(`^--network 8056c2e21c0000ff: .* it has ${NETWORK} `),
  );
});

test("routes of the network that no mesh has set move the pool; those of one built by hand do not", async () => {
  await setNetwork({ routes: [{ target: "172.28.5.0/24", via: "10.147.17.5" }] });
  const adopted = await decided({ options: { network: NETWORK } });
  expect(adopted.settings.vars["DOCKER_POOL"]).toBe("172.28.0.0/16");
  await setNetwork({ routes: [{ target: "172.28.5.0/24", via: "10.9.9.9" }] });
  const clear = await decided({ options: { network: NETWORK } });
  expect(clear.settings.vars["DOCKER_POOL"]).toBe("172.31.0.0/16");
});

test("a setting that is given empty is switched off, and one that is not given stays", async () => {
  const access = { ACCESS_AUD: "ab".repeat(32), ACCESS_SCOPES: "ann@example.com=admin" };
  const worker: DeployedWorker = {
    ...{ version: "1", isMeshboot: true, kv: "c".repeat(32), secrets: ["ADMIN_TOKEN", "ZEROTIER_TOKEN"] },
    ...{ vars: { ...tracked.vars, ...access, ZEROTIER_NETWORK: NETWORK }, rateLimits: {} },
  };
  const varsWith = async (options: Partial<DeployOptions>) =>
    (await decided({ worker, options: { takeOver: true, ...options } })).settings.vars;
  expect(await varsWith({ accessAud: "", accessScopes: "", adminTokenOverlap: "0" })).toMatchObject({
    ...{ ACCESS_AUD: "", ACCESS_SCOPES: "", ADMIN_TOKEN_OVERLAP: "0" },
  });
  expect(await varsWith({})).toMatchObject(access);
});

test("a controller of the mesh's own has an identity made for it, and the network that follows from it; no token is wanted", async () => {
  const options = { controller: "own", zerotierTokenFile: undefined, zerotierUrl: undefined };
  const made = await decided({ name: "own", options });
  const { identity } = made.newIdentity ?? expect.fail();
  const network = made.settings.vars["ZEROTIER_NETWORK"];
  expect(network).toBe(`${identity?.slice(0, 10)}000001`);
  expect(made.secrets).toEqual({ ADMIN_TOKEN: made.adminToken, CONTROLLER_IDENTITY: identity });
  expect(made.controller).toBeUndefined();
  // Kept, it is the one of the next run too.
  keep("own", { vars: { ZEROTIER_CONTROLLER: "own" } });
  const file = join(directory, "deployments", "own", "controller-identity");
  writeFileSync(file, `${identity}\n`);
  const again = await decided({ name: "own", options: { ...options, controller: undefined } });
  expect(again.newIdentity).toBeUndefined();
  expect(again.settings.vars["ZEROTIER_NETWORK"]).toBe(network);
  expect(again.secrets["CONTROLLER_IDENTITY"]).toBe(identity);
  writeFileSync(file, "8056c2e21c:0:ab");
  await expect(decided({ name: "own", options })).rejects.toThrow(/controller-identity holds no secret/);
});

test("in a dry run no identity is made, and a Worker that has one keeps it", async () => {
  const options = { controller: "own", zerotierTokenFile: undefined, zerotierUrl: undefined, dryRun: true };
  const dry = await decided({ name: "dry", options });
  expect(dry.newIdentity).toEqual({ identity: undefined });
  expect(dry.secretNames).toEqual(["CONTROLLER_IDENTITY", "ADMIN_TOKEN"]);
  expect(dry.missing).toEqual([]);
  expect(dry.remarks.join()).toContain("follows from the controller's identity");
  const worker: DeployedWorker = {
    ...{
      version: "1",
      isMeshboot: true,
      kv: "c".repeat(32),
      secrets: ["ADMIN_TOKEN", "CONTROLLER_IDENTITY"],
    },
    ...{ vars: { ...tracked.vars, ZEROTIER_CONTROLLER: "own", ZEROTIER_NETWORK: NETWORK }, rateLimits: {} },
  };
  const there = await decided({
    name: "dry",
    worker,
    options: { ...options, dryRun: undefined, takeOver: true },
  });
  expect(there).toMatchObject({ newIdentity: undefined, secretNames: [] });
  expect(there.settings.vars["ZEROTIER_NETWORK"]).toBe(NETWORK);
});

test("a kind of controller that cannot be set up so is refused by name", async () => {
  for (const controller of ["url", "central-v3"])
    await expect(decided({ options: { controller } })).rejects.toThrow(`of the kind ${controller}`);
});
