import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { parseConfig } from "../../worker/config/config.ts";
import { keepPool } from "../../worker/network/kept-pool.ts";
import { identity } from "./identities.ts";
import { inOwnStores } from "./own-stores.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const DAY = 86_400_000;
const path = `/v1/nodes/${identity(0).node}`;

/** The node prefix in use after the settings were changed from 24 to 25, and why. */
function afterChange(): Promise<[number, string | undefined]> {
  const moved = parseConfig({ ...env, NODE_PREFIX: "25" });
  if (!moved.ok) throw new Error(moved.error.join());
  return inOwnStores(use.world.object, (stores) => {
    const { config, fault } = keepPool(stores, moved.value, Date.now());
    return [config.pool.nodePrefix, fault];
  });
}

it("the pool stays while anything is left of the leases that were made from it", async () => {
  await use.world.enrol();
  await use.world.settle();
  expect(await afterChange()).toEqual([24, expect.stringContaining("1 lease(s) were made from")]);
  await use.world.admin("DELETE", path);
  expect(await afterChange()).toEqual([24, expect.stringContaining("1 slot(s) are in quarantine")]);
  await use.world.settle();
  use.world.advance(7 * DAY - 60_000);
  expect(await afterChange()).toEqual([24, expect.stringContaining("1 slot(s) are in quarantine")]);
  use.world.advance(60_000);
  await inOwnStores(use.world.object, ({ outbox, transaction }) =>
    transaction(() => outbox.put("copy", identity(0).node, 0, Date.now())),
  );
  expect(await afterChange()).toEqual([24, expect.stringContaining("to be delivered")]);
  await use.world.crash();
  await use.world.settle();
  expect(await afterChange()).toEqual([25, undefined]);
});

it("what is known of slots is forgotten with the pool whose numbers they have", async () => {
  use.world.central.network.config.routes = [{ target: "172.28.2.0/24", via: "10.147.17.250" }];
  await use.world.enrol();
  await use.world.admin("DELETE", path);
  await use.world.settle();
  use.world.advance(8 * DAY);
  await afterChange();
  const known = await inOwnStores(use.world.object, ({ memory, slots }) => [
    memory.fitness(),
    memory.conflicts(),
    slots.inQuarantine(0),
    [...slots.excluded()],
  ]);
  expect(known).toEqual([undefined, [], [], []]);
});
