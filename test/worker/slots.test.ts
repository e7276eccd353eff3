// What each slot of the pool is.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { identity } from "./identities.ts";
import { ADMIN, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const DAY = 86_400_000;

const slots = async (query = "") => (await use.world.admin("GET", `/v1/pool/slots${query}`)).json;

describe("the slots", () => {
  it("are what they are leased, reserved, kept back or free for", async () => {
    const key = await use.world.key({ maxUses: 3 });
    for (const [number, name] of ["web1", "web2", "web3"].entries())
      await use.world.enrol({ key, number, name });
    await use.world.settle();
    await use.world.admin("DELETE", `/v1/nodes/${identity(1).node}`);
    await use.world.settle();
    await use.world.admin("POST", "/v1/reservations", { name: "db1", slot: 5 });
    use.world.central.network.config.routes.push({ target: "172.28.7.0/24", via: "10.147.17.250" });
    await use.world.admin("POST", "/v1/reconcile", undefined);
    const { items, next } = await slots();
    const free = { state: "free", node: null, name: null, lease: null };
    expect(items).toEqual([
      expect.objectContaining({
        from: 1,
        to: 1,
        state: "leased",
        name: "web1",
        lease: "active",
        node: identity(0).node,
      }),
      expect.objectContaining({
        from: 2,
        to: 2,
        state: "quarantined",
        node: identity(1).node,
        until: expect.any(String),
      }),
      expect.objectContaining({ from: 3, to: 3, state: "leased", name: "web3" }),
      expect.objectContaining({ from: 4, to: 4, ...free }),
      expect.objectContaining({ from: 5, to: 5, state: "reserved", name: "db1" }),
      expect.objectContaining({ from: 6, to: 6, ...free }),
      expect.objectContaining({ from: 7, to: 7, state: "excluded", by: "172.28.7.0/24" }),
      expect.objectContaining({ from: 8, to: 239, ...free }),
    ]);
    expect(next).toBeNull();
    use.world.advance(8 * DAY);
    expect((await slots("?from=2&limit=1"))["items"]).toEqual([
      expect.objectContaining({ from: 2, to: 2, ...free }),
    ]);
  });

  it("come in parts, each of which says where the next begins", async () => {
    await use.world.enrol();
    const ends = async (query: string) => {
      const { items, next } = await slots(query);
      return [Array.isArray(items) ? items.map(({ from, to }) => `${from}-${to}`) : items, next];
    };
    expect(await ends("?limit=100")).toEqual([["1-1", "2-100"], 101]);
    expect(await ends("?from=101&limit=100")).toEqual([["101-200"], 201]);
    expect(await ends("?from=201&limit=100")).toEqual([["201-239"], null]);
    expect(await ends("?from=140&limit=100")).toEqual([["140-239"], null]);
    expect(await ends("?from=240")).toEqual([[], null]);
    expect((await use.world.admin("GET", "/v1/pool/slots?from=0")).status).toBe(400);
  });

  it("end with the pool that the leases are of, whatever the settings say by now", async () => {
    await use.world.enrol();
    const request = new Request(`${ORIGIN}/v1/pool/slots?limit=239`, {
      headers: { Authorization: `Bearer ${ADMIN}` },
    });
    const larger = { ...env, ZEROTIER_RANGE: "10.147.0.0/16", DOCKER_POOL: "172.16.0.0/12" };
    const { json } = await readAnswer(await makeApp().fetch(request, larger));
    expect(json["items"]).toEqual([
      expect.objectContaining({ from: 1, to: 1 }),
      expect.objectContaining({ from: 2, to: 239 }),
    ]);
    expect(json["next"]).toBeNull();
  });
});
