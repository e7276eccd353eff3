import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { identity } from "./identities.ts";
import { useWorld, type World } from "./world.ts";

const use = useWorld();
const SERVERS = 3;
/** Schedules: each takes a second of real time, unlike those of test/faults. */
const RUNS = 4;

type Step =
  | { readonly do: "enrol" | "rename" | "revoke" | "approve" | "remove"; readonly server: number }
  | { readonly do: "fail"; readonly kind: "status" | "text" | "lost" }
  | { readonly do: "alarm" | "cron" | "evict" | "abort" };

const server = fc.nat(SERVERS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("enrol"), server }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("rename", "revoke", "approve", "remove"), server }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("fail"), kind: fc.constantFrom("status", "text", "lost") }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("alarm", "cron", "evict", "abort") }) },
);

/** Does one step; what is begun may go on while the next is done. */
async function take(world: World, key: string, what: Step): Promise<unknown> {
  switch (what.do) {
    case "enrol":
      return world.enrol({ key, number: what.server });
    case "rename":
      return world.admin("PATCH", `/v1/nodes/${identity(what.server).node}`, { name: `name-${what.server}` });
    case "revoke":
    case "approve":
      return world.admin("POST", `/v1/nodes/${identity(what.server).node}/${what.do}`);
    case "remove":
      return world.admin("DELETE", `/v1/nodes/${identity(what.server).node}`);
    case "fail":
      return world.central.fail("POST", "/member", { kind: what.kind });
    case "alarm":
      return world.fireAlarm();
    case "cron":
      return world.object.reconcile();
    case "evict":
      return evictDurableObject(world.object);
    case "abort":
      return abortAllDurableObjects();
  }
}

const schedules = fc.array(fc.record({ what: step, isAwaited: fc.boolean() }), {
  minLength: 4,
  maxLength: 12,
});

it.each(fc.sample(schedules, { seed: 1, numRuns: RUNS }).map((schedule, number) => ({ schedule, number })))(
  "leases, members and routes agree in the end, wherever the object is evicted or aborted: schedule $number",
  async ({ schedule }) => {
    const { world } = use;
    const key = await world.key({ maxUses: SERVERS });
    const begun: Promise<unknown>[] = [];
    for (const { what, isAwaited } of schedule) {
      // The platform evicts an object that has nothing to do, and aborts one in the middle of it.
      if (what.do === "evict") await Promise.all(begun);
      // An aborted object breaks the calls that it was to answer.
      const call = take(world, key, what).catch(() => undefined);
      if (isAwaited) await call;
      else begun.push(call);
    }
    await Promise.all(begun);
    world.central.faults.clear();
    await world.object.reconcile();
    await world.settle();
    const { json } = await world.admin("GET", "/v1/nodes");
    const nodes = Array.isArray(json["items"]) ? json["items"] : [];
    const shown = JSON.stringify({ schedule, nodes });
    expect(await world.outbox(), shown).toEqual([]);
    for (const { node, slot, state } of nodes) {
      const member = world.central.network.members.get(node)?.config;
      expect([node, member?.authorized], shown).toEqual([node, state === "active"]);
      if (state === "active") expect(member?.ipAssignments, shown).toEqual([`10.147.17.${slot}`]);
    }
    const authorized = [...world.central.network.members.values()].filter(({ config }) => config.authorized);
    const active = nodes.filter(({ state }) => state === "active");
    expect(authorized.map(({ node }) => node).sort(), shown).toEqual(active.map(({ node }) => node).sort());
    const routes = active.map(({ slot }) => `172.28.${slot}.0/24 via 10.147.17.${slot}`);
    if (nodes.length > 0) expect(world.routes().slice(1).sort(), shown).toEqual(routes.sort());
  },
  30_000,
);
