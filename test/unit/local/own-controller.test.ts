/** A mesh whose controller one of its nodes hosts, on the real Worker in workerd: made from nothing, lost, and moved. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { generateIdentities } from "../../../scripts/identity/generate-many.ts";
import { enrolmentBody, type InventedServer, postEnrolment } from "../../../scripts/local/invented-server.ts";
import { type LocalWorker, startLocalWorker } from "../../../scripts/local/local-worker.ts";
import { controllerSchema } from "../../../worker/schema/controller.ts";
import { ControllerHost } from "./controller-host.ts";

const ADMIN = "mba_operator-of-the-tests-0123";
const directory = mkdtempSync(join(tmpdir(), "meshboot-own-"));
const [controller, ...identities] = await generateIdentities(6);
if (controller === undefined) throw new Error("no identity was made");
const NETWORK = `${controller.node}000001`;
const servers = identities.map(
  (identity, at): InventedServer => ({ ...identity, name: `web${at + 1}`, machine: `machine ${at + 1}` }),
);

let worker: LocalWorker;
let key = "";
const hosts: ControllerHost[] = [];

beforeAll(async () => {
  worker = await startLocalWorker({
    ...{ directory, network: NETWORK, adminToken: ADMIN, callsPerMinute: 1_000_000, log: () => {} },
    ...{ centralUrl: "", centralToken: "" },
    settings: { ZEROTIER_CONTROLLER: "own", CONTROLLER_IDENTITY: controller.secret },
  });
  const made = await admin("POST", "/v1/keys", { maxUses: 100 });
  ({ key } = z.object({ key: z.string() }).parse(await made.json()));
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop();
});
afterAll(async () => {
  await worker.close();
  rmSync(directory, { recursive: true, force: true });
});

function admin(method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${worker.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
}

async function view() {
  return controllerSchema.parse(await (await admin("GET", "/v1/controller")).json());
}

const leased = z.object({
  node: z.string(),
  slot: z.number(),
  token: z.string(),
  controller: z.enum(["yours", "candidate"]).optional(),
});

async function enrol(at: number) {
  const server = servers[at] ?? expect.fail();
  const response = await postEnrolment(worker.url, key, enrolmentBody(worker.url, server));
  return { status: response.status, text: await response.text(), server };
}

/** Enrols until the controller has let it in, as an agent does. */
async function letIn(at: number) {
  for (;;) {
    const { status, text } = await enrol(at);
    if (status === 200) return leased.parse(JSON.parse(text));
    expect([202, 503], text).toContain(status);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function host(node: string, token: string): ControllerHost {
  const made = new ControllerHost(worker.url, node, token);
  hosts.push(made);
  made.start();
  return made;
}

it("is made by its first server, lost with its host, and made anew on another one", {
  timeout: 120_000,
}, async () => {
  // Before anybody came it is well: the hourly run finds nobody to ask.
  await worker.runCron();
  const healthy = await fetch(`${worker.url}/healthz`);
  expect(healthy.status).toBe(200);
  expect(await healthy.text()).toContain("the first one that comes in does");
  // Whoever comes first is to host it, and gets a token for that before anybody can let it in.
  const first = await enrol(0);
  expect(first.status, first.text).toBe(202);
  const told = leased.parse(JSON.parse(first.text));
  expect(told).toMatchObject({ controller: "yours", slot: 1 });
  const other = await enrol(1);
  expect(other.status).toBe(503);
  expect(other.text).toContain("controller-unreachable");
  expect(await view()).toMatchObject({
    kind: "own",
    url: null,
    own: { turn: { number: 1, node: told.node, whole: false } },
  });

  const one = host(told.node, told.token);
  const web1 = await letIn(0);
  expect(web1).toMatchObject({ node: told.node, slot: 1, controller: "yours" });
  const web2 = await letIn(1);
  await letIn(2);
  expect(one.identities).toEqual([controller.secret]);
  const network = one.controller?.state.networks.get(NETWORK) ?? expect.fail();
  expect(network.config).toMatchObject({ private: true, v6AssignMode: { "6plane": true } });
  expect(
    [...network.members.values()].map(({ name, config }) => [name, config.authorized, config.ipAssignments]),
  ).toEqual([
    ["web1", true, ["10.147.17.1"]],
    ["web2", true, ["10.147.17.2"]],
    ["web3", true, ["10.147.17.3"]],
  ]);

  // The operator's own: a route, and a laptop that he let in at the controller, which the hourly run sees.
  network.config.routes.push({ target: "192.168.7.0/24", via: "10.147.17.250" });
  network.members.set("0a0b0c0d0e", {
    ...(network.members.get(web1.node) ?? expect.fail()),
    ...{ node: "0a0b0c0d0e", name: "laptop" },
    config: {
      ...(network.members.get(web1.node)?.config ?? expect.fail()),
      ipAssignments: ["10.147.17.250"],
    },
  });
  await worker.runCron();
  const before = structuredClone([...(one.controller?.state.networks.values() ?? [])]);

  // Its host dies, with its disk. Who is in the mesh stays; a new one waits.
  await one.stop();
  expect((await enrol(3)).status).toBe(503);
  // While there is none, the operator takes one out: that one is not let in anew.
  const out = servers[2]?.node ?? expect.fail();
  expect([200, 503]).toContain((await admin("POST", `/v1/nodes/${out}/revoke`)).status);
  const moved = await admin("POST", "/v1/controller/move", { node: web2.node });
  expect(moved.status).toBe(200);
  expect(controllerSchema.parse(await moved.json()).own?.turn).toMatchObject({
    number: 2,
    node: web2.node,
    name: "web2",
  });

  const two = host(web2.node, web2.token);
  await letIn(3);
  const after = two.controller?.state.networks.get(NETWORK) ?? expect.fail();
  expect(after.config).toEqual({
    ...before[0]?.config,
    routes: expect.arrayContaining(before[0]?.config.routes ?? []),
  });
  expect([...after.members.values()].map(({ node, name, config }) => [node, name, config]).sort()).toEqual(
    expect.arrayContaining(
      [...(before[0]?.members.values() ?? [])].map(({ node, name, config }) => [
        ...[node, name],
        { ...config, authorized: node !== out },
      ]),
    ),
  );
  expect(two.letIn.has(out)).toBe(false);
  expect(two.letIn.has("0a0b0c0d0e")).toBe(true);
  expect(two.identities).toEqual([controller.secret]);
  expect((await view()).own?.turn).toMatchObject({ number: 2, whole: true });

  // The first one comes back with its old disk: it is told that the turn is another's.
  const back = host(web1.node, web1.token);
  await expect.poll(() => back.turn, { timeout: 60_000 }).toBe("other");
  expect(back.controller).toBeUndefined();
  expect(back.identities).toEqual([]);
});

it("is told to a host whose disk was lost all anew, under the same turn", { timeout: 60_000 }, async () => {
  const { own } = await view();
  const node = own?.turn?.node ?? expect.fail();
  const at = servers.findIndex((server) => server.node === node);
  const { token } = await letInBy(at);
  const again = host(node, token);
  await expect.poll(async () => (await view()).own?.turn?.whole, { timeout: 30_000 }).toBe(true);
  await letIn(4);
  const network = again.controller?.state.networks.get(NETWORK) ?? expect.fail();
  expect(network.members.size).toBe(6);
  expect((await view()).own?.turn?.number).toBe(2);
});

/** Its token anew, whatever the controller does. */
async function letInBy(at: number) {
  const { status, text } = await enrol(at);
  expect([200, 202], text).toContain(status);
  return leased.parse(JSON.parse(text));
}

it("moves to no node that is not in the mesh, or has no agent", async () => {
  const { own } = await view();
  const node = own?.turn?.node ?? expect.fail();
  const { token } = await letInBy(servers.findIndex((server) => server.node === node));
  host(node, token);
  const unknown = await admin("POST", "/v1/controller/move", { node: "0123456789" });
  expect(unknown.status).toBe(404);
  const hand = await admin("PUT", "/v1/nodes/0a1b2c3d4e", { name: "by-hand" });
  expect([201, 503]).toContain(hand.status);
  const cannot = await admin("POST", "/v1/controller/move", { node: "0a1b2c3d4e" });
  expect([404, 409]).toContain(cannot.status);
});
