// A database's server dies and is ordered anew: who knows only its address finds the new one there, and the old one stays out
// when it is switched on again.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { importImage, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { meshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { NETWORK, Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";

const Reservation = z.object({ slot: z.number(), node: z.string().nullable() });
const Members = z.array(
  z.object({
    nodeId: z.string(),
    config: z.object({ authorized: z.boolean(), ipAssignments: z.array(z.string()) }),
  }),
);
const Report = z.object({
  checks: z.array(z.object({ link: z.string(), level: z.string(), saw: z.string() })),
});

let lab: Lab;
let servers: Servers;
let web: Guest;
let slot: number;
const address = () => `172.28.${slot}.242`;

/** Orders a server that is called otherwise than the name that it is to have. */
async function order(name: string, index: number, key: object): Promise<Guest> {
  const userData = await servers.userData({ key });
  const guest = await lab.order({ name, index, image: "docker", userData });
  await guest.boot();
  await untilInMesh(guest, 240);
  await importImage(guest);
  return guest;
}

/** Starts the database: a container at the address that others are told, which says whose it is. */
async function startDatabase(guest: Guest): Promise<void> {
  await guest.sh(`
    docker network create --subnet 172.28.${slot}.240/28 db
    docker run -d --restart=always --name=db --network=db --ip=${address()} lab \\
      /bin/sh -c 'printf ${guest.name} >/www/whose; exec /bin/httpd -f -p 80 -h /www'
  `);
}

/** What answers a container of web1's at the database's address. */
function answerIs(whose: string): Promise<true> {
  return until(`${whose} to answer at ${address()}`, 60, async () => {
    const { stdout, stderr } = await web.try(
      ...(["docker", "exec", "app", "/bin/sh", "-c"] as const),
      `timeout 5 wget -qO- http://${address()}/whose`,
    );
    return stdout === whose ? holds(true as const) : not(stdout + stderr);
  });
}

const reservation = async () => {
  const body = { name: "db1" };
  return Reservation.parse(JSON.parse((await servers.asOperator("POST", "/v1/reservations", body)).text));
};

/** The members that are let in with the address of db1. */
async function holders(): Promise<string[]> {
  const members = Members.parse(
    JSON.parse((await servers.atCentral("GET", `/network/${NETWORK}/member`)).text),
  );
  return members
    .filter(({ config }) => config.authorized && config.ipAssignments.includes(`10.147.17.${slot}`))
    .map(({ nodeId }) => nodeId);
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  ({ slot } = await reservation());
  web = await order("web1", 1, {});
  await startContainer(web, "app");
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("a name that was reserved is that of the server with its key, at the address that was told before", async () => {
  const old = await order("first", 2, { reservation: "db1" });
  expect(await meshStatus(old)).toMatchObject({ name: "db1", slot });
  await startDatabase(old);
  await answerIs("first");

  await old.pullThePlug();
  const { node: before } = await reservation();
  const heir = await order("second", 3, { reservation: "db1", takeover: true });
  const status = await meshStatus(heir);
  expect(status).toMatchObject({ name: "db1", slot });
  expect(status.node).not.toBe(before);
  await startDatabase(heir);
  await answerIs("second");
  expect(await holders()).toEqual([status.node]);

  // The one that was given up is switched on again.
  await old.boot();
  await old.settled();
  const checks = await until("doctor to say why it is out", 120, async () => {
    const report = Report.parse(JSON.parse((await old.try("meshboot", "doctor", "--json")).stdout));
    const key = report.checks.find(({ link }) => link === "key");
    return key?.saw.includes("the operator replaced") ? holds(report.checks) : not(JSON.stringify(key));
  });
  expect(checks.find(({ link }) => link === "key")?.level).toBe("fault");
  await old.try("meshboot", "up");
  expect(await holders()).toEqual([status.node]);
  await answerIs("second");
  expect(await reservation()).toEqual({ slot, node: status.node });
});
