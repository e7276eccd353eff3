// What the operator sees of the controller: what waits for it and why, and how much of what it allows is used.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { CAPABILITIES } from "../../worker/config/capabilities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const view = async () => (await use.world.admin("GET", "/v1/controller")).json;
const NOTHING = { waiting: 0, oldestAt: null, failing: 0, fault: null, heldUntil: null };

describe("the controller, for the operator", () => {
  it("has nothing that waits when all is told, and counts our routes against their limit", async () => {
    await use.world.enrol();
    await use.world.settle();
    await use.world.object.reconcile();
    const calls = use.world.central.calls.length;
    expect(await view()).toEqual({
      ...{ kind: "central-v1", capabilities: CAPABILITIES["central-v1"] },
      own: null,
      ...{ url: expect.stringMatching(/^https:/), network: "8056c2e21c000001" },
      ...{ checkedAt: expect.stringMatching(/Z$/), unreachable: null },
      calls: { limit: 19, lately: expect.any(Number), waiting: 0, heldUntil: null },
      routes: { ours: 1, limit: 32 },
      outbox: { member: NOTHING, routes: NOTHING, copy: NOTHING },
    });
    expect(use.world.central.calls.length).toBe(calls);
  });

  it("says how long what it does not take waits, what it said, and until when nothing is tried", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.central.fail("POST", "/member/", { kind: "status", status: 502, times: 99 });
    const begun = use.world.now();
    await use.world.enrol({ number: 1, name: "web2" });
    const { outbox } = await view();
    expect(outbox).toMatchObject({
      member: { waiting: 1, failing: 1, fault: expect.stringContaining("502") },
      copy: { failing: 0, fault: null },
    });
    const { member } = outbox as { member: { oldestAt: string; heldUntil: string } };
    expect(Date.parse(member.oldestAt) - begun).toBeLessThan(5000);
    expect(Date.parse(member.heldUntil)).toBeGreaterThan(use.world.now());
  });

  it("tells when it could not be read", async () => {
    use.world.central.fail("GET", "/network", { kind: "status", status: 502 });
    await use.world.object.reconcile();
    expect((await view())["unreachable"]).toMatchObject({ fault: expect.stringContaining("502") });
  });

  it("has no secret, and is for whoever may read", async () => {
    use.world.central.fail("POST", "/member/", { kind: "status", status: 401, times: 99 });
    await use.world.enrol();
    expect(JSON.stringify(await view())).not.toContain(env.ZEROTIER_TOKEN);
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["keys"] });
    const { status } = await use.world.call("GET", "/v1/controller", { token: String(json["token"]) });
    expect(status).toBe(403);
  });
});
