import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type EnrolmentChange,
  enrolmentBody,
  type InventedServer,
  postEnrolment,
} from "../../../scripts/local/invented-server.ts";
import { type LocalWorker, startLocalWorker } from "../../../scripts/local/local-worker.ts";
import { type RunningCentral, startCentral } from "../../../scripts/simulated-central/server.ts";
import { generateIdentities } from "./identities.ts";

const ADMIN = "mba_operator-of-the-tests-0123";
const TOKEN = "central-token-of-the-tests-0123456789";
const NETWORK = "8056c2e21c000001";
const SERVERS = 100;

const lease = z.object({ node: z.string(), slot: z.number(), name: z.string(), token: z.string() });
const problem = z.object({ type: z.string() });

let central: RunningCentral;
let worker: LocalWorker;
let servers: InventedServer[];
const log: string[] = [];

beforeAll(async () => {
  const identities = await generateIdentities(SERVERS + 1);
  servers = identities.map((identity, number) => ({
    ...identity,
    name: `web${number}`,
    machine: `${number}`,
  }));
  central = await startCentral({ networks: [NETWORK], token: TOKEN, latencyMs: 20 });
  worker = await startLocalWorker({
    network: NETWORK,
    centralUrl: central.url,
    centralToken: TOKEN,
    adminToken: ADMIN,
    log: (line) => log.push(line),
  });
});

afterAll(async () => {
  await worker?.close();
  await central?.close();
});

async function makeKey(terms: object): Promise<string> {
  const response = await fetch(`${worker.url}/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
    body: JSON.stringify(terms),
  });
  return z.object({ key: z.string() }).parse(await response.json()).key;
}

async function enrolAll(key: string): Promise<z.infer<typeof lease>[]> {
  return Promise.all(
    servers.slice(0, SERVERS).map(async (server) => {
      for (;;) {
        const response = await postEnrolment(worker.url, key, enrolmentBody(worker.url, server));
        // On a busy machine a turn at the controller may come too late: a server asks again then, when it is told to.
        const later = Number(response.headers.get("retry-after"));
        if (response.status === 200) return lease.parse(await response.json());
        expect([response.status, later > 0]).toEqual([503, true]);
        await sleep(later * 1000);
      }
    }),
  );
}

/** Resolves when the Worker has told the controller and KV all that it had to tell. */
async function settled(): Promise<void> {
  const waiting = z.object({ waiting: z.record(z.string(), z.number()) });
  for (;;) {
    const response = await fetch(`${worker.url}/v1/pool`, { headers: { authorization: `Bearer ${ADMIN}` } });
    const counts = Object.values(waiting.parse(await response.json()).waiting);
    if (counts.every((count) => count === 0)) return;
  }
}

describe("a hundred servers that enrol at once on a fresh network", () => {
  it("get a hundred slots, within 105 calls to Central and two a second, never more than 20 in any second", async () => {
    const key = await makeKey({ maxUses: SERVERS });
    const begun = performance.now();
    const leases = await enrolAll(key);
    expect(new Set(leases.map(({ slot }) => slot)).size).toBe(SERVERS);
    expect(leases.map(({ node }) => node)).toEqual(servers.slice(0, SERVERS).map(({ node }) => node));
    await settled();
    const seconds = (performance.now() - begun) / 1000;

    const { calls, networks } = central.snapshot();
    expect(calls.byCall["POST /network/:network/member/:node"]).toBe(SERVERS);
    // What goes with time: what others hold is read anew every three seconds, and routes are written.
    expect(calls.total).toBeLessThanOrEqual(105 + 2 * seconds);
    expect(calls.peak).toBeLessThanOrEqual(20);
    expect(calls.refused).toBe(0);
    const members = networks[0]?.members ?? [];
    expect(members.filter(({ config }) => config.authorized)).toHaveLength(SERVERS);
    // The limit of managed routes, 32 by default, the on-link route among them.
    expect(networks[0]?.config.routes).toHaveLength(32);

    // Once more: the same leases, and nothing for the controller but a look whether it still has the member.
    const again = await enrolAll(key);
    expect(again.map(({ slot, name }) => [slot, name])).toEqual(leases.map(({ slot, name }) => [slot, name]));
    await settled();
    const look = "GET /network/:network/member/:node";
    const { byCall } = central.snapshot().calls;
    expect(byCall).toEqual({ ...calls.byCall, [look]: (calls.byCall[look] ?? 0) + SERVERS });
    expect(log.join("\n")).not.toMatch(/mb[kna]_[A-Za-z0-9_-]{22}/);
  });

  it("refuse what is forged, foreign, old or spent, each with a type of its own", async () => {
    const [first] = servers;
    const stranger = servers[SERVERS];
    if (first === undefined || stranger === undefined) throw new Error("too few servers");
    const key = await makeKey({});
    const spent = await makeKey({});
    await postEnrolment(worker.url, spent, enrolmentBody(worker.url, first));
    const refusal = async (
      as: string,
      server: InventedServer,
      other: object = {},
      change: EnrolmentChange = {},
    ) => {
      const body = { ...enrolmentBody(worker.url, server, change), ...other };
      return problem.parse(await (await postEnrolment(worker.url, as, body)).json()).type;
    };
    expect(await refusal(key, stranger, { signature: "0".repeat(192) })).toBe("/problems/invalid-signature");
    expect(await refusal("mbk_0123456789abcdefghijkl", stranger)).toBe("/problems/unknown-key");
    const taken = { ...stranger, node: first.node, identity: `${first.node}${stranger.identity.slice(10)}` };
    expect(await refusal(key, taken)).toBe("/problems/wrong-address");
    expect(await refusal(key, stranger, {}, { timestamp: 1_000_000_000 })).toBe("/problems/clock-skew");
    expect(await refusal(spent, stranger)).toBe("/problems/key-spent");
    const clone = { ...first, machine: "another" };
    expect(await refusal(spent, clone)).toBe("/problems/cloned-identity");
    const prefixes = { localPrefixes: ["172.28.0.0/16"] };
    expect(await refusal(key, stranger, {}, prefixes)).toBe("/problems/overlap");
  });
});
