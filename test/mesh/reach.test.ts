// Who reaches whom, as booted servers find out and the Worker tells: a new one at once, both directions, and a firewall that closes one
// of the families.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";

const Family = z.object({ answers: z.boolean(), rttMs: z.number().nullable(), mtu: z.number().nullable() });
const Reach = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      at: z.string().nullable(),
      fault: z.string().nullable(),
      pairs: z.array(z.object({ name: z.string(), ipv4: Family.nullable(), ipv6: Family.nullable() })),
    }),
  ),
});

const ANSWERS = { answers: true, rttMs: expect.any(Number), mtu: 1500 };

let lab: Lab;
let servers: Servers;
let db: Guest;
let web: Guest;

async function order(name: string, index: number): Promise<Guest> {
  const guest = await lab.order({ name, index, image: "docker", userData: await servers.userData({}) });
  await guest.boot();
  await untilInMesh(guest, 240);
  return guest;
}

const reach = async (query = "") => {
  const { text } = await servers.asOperator("GET", `/v1/reach${query}`);
  return Reach.parse(JSON.parse(text)).items;
};

/** Waits for what a server has found of its only neighbour to be so. */
function untilFound(
  from: string,
  isSo: (pair: z.output<typeof Reach>["items"][number]["pairs"][number]) => boolean,
) {
  return until(`${from} to have found so`, 150, async () => {
    const items = await reach();
    const found = items.find(({ name }) => name === from);
    const [pair] = found?.pairs ?? [];
    return pair !== undefined && isSo(pair) ? holds(pair) : not(JSON.stringify(items));
  });
}

/** Has a server report and probe, without the wait for the hour. */
const again = (guest: Guest) => guest.sh("systemctl restart meshboot-watch; meshboot up");

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("a new server is seen to reach the one that was there, by both families, without a hand", async () => {
  db = await order("db1", 1);
  web = await order("web1", 2);
  expect(await untilFound("web1", () => true)).toEqual({ name: "db1", ipv4: ANSWERS, ipv6: ANSWERS });
});

test("the one that was there reaches it too, as it finds with its next report", async () => {
  await again(db);
  expect(await untilFound("db1", () => true)).toEqual({ name: "web1", ipv4: ANSWERS, ipv6: ANSWERS });
  expect(await reach("?silent=true")).toEqual([]);
});

test("a firewall that closes one family shows, in that direction alone, until it opens", async () => {
  const rule = "INPUT -p icmpv6 --icmpv6-type echo-request -j DROP";
  await db.sh(`ip6tables -I ${rule}`);
  await again(web);
  const closed = await untilFound("web1", ({ ipv6 }) => ipv6?.answers === false);
  expect(closed).toMatchObject({ ipv4: ANSWERS, ipv6: { answers: false, rttMs: null, mtu: null } });
  expect((await reach("?silent=true")).map(({ name }) => name)).toEqual(["web1"]);
  await db.sh(`ip6tables -D ${rule}`);
  await again(web);
  await untilFound("web1", ({ ipv6 }) => ipv6?.answers === true);
  expect(await reach("?silent=true")).toEqual([]);
});
