import { expect, it } from "vitest";
import { makePool } from "../../worker/lease/pool.ts";
import { routesToPublish } from "../../worker/outbox/route-delivery.ts";

const made = makePool({ zerotier: "10.147.17.0/24", docker: "172.28.0.0/16", nodePrefix: 24 });
if (!made.ok) throw new Error(made.error.join());
const pool = made.value;
const onLink = { target: "10.147.17.0/24", via: null };
const route = (slot: number) => ({ target: `172.28.${slot}.0/24`, via: `10.147.17.${slot}` });
const slots = (...numbers: number[]) => numbers.map((slot) => ({ slot }));

it("the routes are those of the active leases, besides those of others", () => {
  const foreign = { target: "172.28.2.0/24", via: "10.147.17.250" };
  const stored = { active: slots(1, 3), owned: new Set([1, 2, 3]) };
  const { routes, changed } = routesToPublish({ pool, routeLimit: 32 }, [foreign], stored);
  expect(routes).toEqual([onLink, foreign, route(1), route(3)]);
  expect(changed).toBe(true);
});

it("a route goes with its lease, and only when it is ours", () => {
  const stored = { active: slots(1), owned: new Set([1, 2]) };
  const current = [onLink, route(1), route(2), route(9)];
  const { routes } = routesToPublish({ pool, routeLimit: 32 }, current, stored);
  expect(routes).toEqual([onLink, route(1), route(9)]);
  expect(routesToPublish({ pool, routeLimit: 32 }, routes, stored).changed).toBe(false);
});
