/** What docs/worker-lost.md promises of a Worker whose storage is gone, with the network as it was at Central. */
import { expect, it } from "vitest";
import { identity } from "./identities.ts";
import { loseStorage } from "./lost-object.ts";
import { useWorld } from "./world.ts";

const use = useWorld();

/** What is at Central of each member: whether it is in, and its addresses. */
function members(): unknown {
  const { members } = use.world.central.network;
  return [...members].map(([node, { config }]) => [node, config.authorized, config.ipAssignments]).sort();
}

it("gives every server that enrols again its slot and addresses, and a new one none of theirs", async () => {
  const key = await use.world.key({ maxUses: 10 });
  const before = new Map<number, unknown>();
  // Slot 1 is free in the end, so the lowest that is free would be another than each had.
  await use.world.enrol({ key, number: 3 });
  for (const number of [0, 1, 2]) before.set(number, (await use.world.enrol({ key, number })).json["slot"]);
  await use.world.admin("DELETE", `/v1/nodes/${identity(3).node}`);
  await use.world.settle();
  const [routes, there] = [use.world.routes(), members()];

  await loseStorage(use.world);
  const newKey = await use.world.key({ maxUses: 10 });
  const newcomer = await use.world.enrol({ key: newKey, number: 4 });
  expect([...before.values()]).not.toContain(newcomer.json["slot"]);
  for (const number of [2, 0, 1]) {
    const { status, json } = await use.world.enrol({ key: newKey, number });
    expect([status, json["slot"]]).toEqual([200, before.get(number)]);
  }
  await use.world.object.reconcile();
  await use.world.settle();
  const withoutNewcomer = (line: string): boolean => !line.endsWith(`.${newcomer.json["slot"]}`);
  expect(use.world.routes().filter(withoutNewcomer)).toEqual(routes);
  expect(members()).toEqual(expect.arrayContaining(there as unknown[]));
});

it("gives the operator a slot for the server that has its address, and for no other", async () => {
  const key = await use.world.key();
  const { slot } = (await use.world.enrol({ key })).json;
  await use.world.settle();
  await loseStorage(use.world);
  const put = (number: number) => use.world.admin("PUT", `/v1/nodes/${identity(number).node}`, { slot });
  expect((await put(1)).json).toMatchObject({ type: "/problems/slot-taken" });
  expect(await put(0)).toMatchObject({ status: 201, json: { slot, delivered: true } });
});
