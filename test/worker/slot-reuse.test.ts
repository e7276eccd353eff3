import { describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const DAY = 86_400_000;
const path = (number = 0): string => `/v1/nodes/${identity(number).node}`;
const member = (number = 0) => use.world.central.network.members.get(identity(number).node);

/** Why node 1 may not have slot 1. */
async function refusal(): Promise<string> {
  const { json } = await use.world.admin("PUT", path(1), { slot: 1 });
  return `${json["type"]} ${json["detail"]}`;
}

function controllerTakesNoMember(): void {
  use.world.central.fail("POST", "/member", { kind: "status", status: 500, times: 99 });
}

describe("a slot that was released", () => {
  it("is not leased while its last holder is a member still, and its quarantine begins after that", async () => {
    await use.world.enrol();
    await use.world.settle();
    controllerTakesNoMember();
    await use.world.admin("DELETE", path());
    use.world.advance(8 * DAY);
    expect(await refusal()).toContain("/problems/slot-taken slot 1 is still node");
    expect((await use.world.admin("GET", "/v1/pool")).json).toMatchObject({ slots: { quarantined: 1 } });
    expect(member()?.config.authorized).toBe(true);
    use.world.central.faults.clear();
    await use.world.settle();
    expect(member()).toBeUndefined();
    expect(await refusal()).toContain("quarantine until");
    use.world.advance(7 * DAY);
    expect((await use.world.admin("PUT", path(1), { slot: 1 })).status).toBe(201);
  });

  it("does not begin its quarantine by a delivery that was under way before", async () => {
    await use.world.enrol();
    await use.world.settle();
    const held = use.world.central.hold(/\/member\/[0-9a-f]+$/);
    const renamed = use.world.admin("PATCH", path(), { name: "db1" });
    await held.seen();
    const deleted = use.world.admin("DELETE", path());
    while ((await use.world.admin("GET", path())).status !== 404);
    controllerTakesNoMember();
    held.free();
    await Promise.all([renamed, deleted]);
    use.world.advance(8 * DAY);
    expect(await refusal()).toContain("is still node");
  });

  it("goes back to the server that had it, by PUT or by enrolment, in its quarantine too", async () => {
    const key = await use.world.key({ maxUses: 3 });
    const { json } = await use.world.enrol({ key });
    await use.world.admin("PUT", path(1), { slot: 5 });
    await use.world.call("DELETE", path(), { token: String(json["token"]) });
    await use.world.admin("DELETE", path(1));
    await use.world.settle();
    expect((await use.world.enrol({ key, number: 2 })).json["slot"]).toBe(2);
    expect((await use.world.admin("PUT", path(2 + 1), { slot: 5 })).status).toBe(409);
    const back = await use.world.admin("PUT", path(1), { slot: 5 });
    expect([back.status, back.json["slot"]]).toEqual([201, 5]);
    expect((await use.world.enrol({ key })).json["slot"]).toBe(1);
  });

  it("goes to its identity on another machine, once the old one is deleted and with another key", async () => {
    const key = await use.world.key({ maxUses: 2 });
    await use.world.admin("PUT", path(1), {});
    const { json } = await use.world.enrol({ key, machine: "a" });
    expect(json["slot"]).toBe(2);
    expect((await use.world.enrol({ key, machine: "b" })).json["type"]).toBe("/problems/cloned-identity");
    await use.world.admin("DELETE", path());
    expect((await use.world.enrol({ key, machine: "b" })).json["type"]).toBe("/problems/revoked");
    const replaced = (await use.world.enrol({ machine: "b" })).json;
    expect([replaced["slot"], replaced["name"], replaced["docker"]]).toEqual([2, "web1", json["docker"]]);
  });

  it("goes back also before the controller has taken that it left", async () => {
    const key = await use.world.key();
    const { json } = await use.world.enrol({ key });
    await use.world.settle();
    controllerTakesNoMember();
    const left = await use.world.call("DELETE", path(), { token: String(json["token"]) });
    expect(left.status).toBe(204);
    use.world.advance(60_000);
    use.world.central.faults.clear();
    expect((await use.world.enrol({ key })).json).toMatchObject({ slot: 1, state: "active" });
    await use.world.settle();
    expect(member()?.config).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.1"] });
  });
});
