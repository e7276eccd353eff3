import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { makeApp } from "../../worker/app.ts";
import { ADMIN, ORIGIN, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;

describe("the health of a Worker whose controller does not answer as it should", () => {
  it("repeats to nobody but the operator what a proxy said, and where", async () => {
    for (const fault of [{ kind: "status", status: 502 } as const, { kind: "text" } as const]) {
      use.world.central.fail("GET", "/network", fault);
      await use.world.object.reconcile();
      const full = await use.world.call("GET", "/healthz", { token: ADMIN });
      expect(full.text).toMatch(/it says: (\{\\"message\\":\\"ordered\\"\}|<html>)/);
      for (const path of ["/healthz", "/"]) {
        use.world.advance(10_000);
        const { text } = await use.world.call("GET", path);
        expect(text).toContain("ZeroTier controller");
        expect(text).not.toMatch(/ordered|it says|502|api\.zerotier\.com|8056c2e21c000001/);
      }
    }
  });

  it("says what older versions noted to the operator alone", async () => {
    use.world.central.fail("GET", "/network", { kind: "status", status: 502 });
    await use.world.object.reconcile();
    await runInDurableObject(use.world.object, (_, state) =>
      state.storage.sql.exec(
        "UPDATE facts SET value = json_remove(value, '$.unreadAt', '$.unreadReason') WHERE name = 'look'",
      ),
    );
    expect((await use.world.health()).json["faults"]).toEqual([
      expect.stringMatching(/^the ZeroTier controller could not be read \(so it was at /),
    ]);
    expect((await use.world.call("GET", "/healthz", { token: ADMIN })).text).toContain("ordered");
  });

  it("dates the fault when it happened, and forgets it as soon as the controller answers", async () => {
    const { json } = await use.world.enrol();
    await use.world.settle();
    await use.world.object.reconcile();
    use.world.advance(HOUR / 2);
    use.world.central.fail("GET", "/network", { kind: "status", status: 500, times: 99 });
    const met = use.world.now();
    await use.world.enrol({ number: 1 });
    const [warning] = z.array(z.string()).parse((await use.world.health()).json["warnings"]);
    const told = Date.parse(/so it was at (\S+);/.exec(warning ?? "")?.[1] ?? "");
    expect(told).toBeGreaterThanOrEqual(met);
    use.world.central.faults.clear();
    await use.world.admin("PATCH", `/v1/nodes/${json["node"]}`, { name: "renamed" });
    expect((await use.world.health()).json["warnings"]).toEqual([]);
  });
});

describe("strangers who ask for the health again and again", () => {
  it("reach the object once in ten seconds, and the operator always", async () => {
    const health = vi.fn(async () => ({ status: "ok", faults: [], warnings: [] }));
    const app = makeApp();
    const bindings = { ...env, NETWORK: { getByName: () => ({ health }) } };
    const ask = (path: string, headers = {}) =>
      app.fetch(new Request(`${ORIGIN}${path}`, { headers }), bindings);
    const clock = vi.spyOn(Date, "now");
    const begun = use.world.now();
    for (let time = 0; time < 100; time++) {
      clock.mockReturnValue(begun + 99 * time);
      expect((await ask(time % 2 === 0 ? "/healthz" : "/")).status).toBe(200);
    }
    expect(health).toHaveBeenCalledTimes(1);
    clock.mockReturnValue(begun + HOUR);
    await Promise.all(Array.from({ length: 50 }, () => ask("/healthz")));
    expect(health).toHaveBeenCalledTimes(2);
    for (const _ of [1, 2]) await ask("/healthz", { Authorization: `Bearer ${ADMIN}` });
    expect(health).toHaveBeenCalledTimes(4);
  });
});
