import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const member = (number: number): string => `/member/${identity(number).node}`;

describe("a controller that fails", () => {
  const faults = [
    { kind: "status", status: 500, problem: "controller-unreachable" },
    { kind: "status", status: 429, problem: "controller-rate-limited" },
    { kind: "status", status: 401, problem: "controller-unauthorized" },
    { kind: "text", problem: "controller-unreachable" },
    { kind: "timeout", problem: "controller-unreachable" },
    { kind: "lost", problem: "controller-unreachable" },
  ] as const;

  it.each(faults)(
    "answers $kind $status with $problem, keeps the lease, and the alarm completes it",
    async (fault) => {
      const { problem, ...order } = fault;
      use.world.central.fail("POST", member(0), order);
      const key = await use.world.key();
      const refused = await use.world.enrol({ key });
      expect([refused.status, refused.json["type"]]).toEqual([503, `/problems/${problem}`]);
      expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect(await use.world.outbox()).toContainEqual({
        kind: "member",
        subject: identity(0).node,
        attempts: 1,
      });

      await use.world.settle();
      expect(use.world.central.network.members.get(identity(0).node)?.config).toMatchObject({
        authorized: true,
        ipAssignments: ["10.147.17.1"],
      });
      expect(use.world.routes()).toEqual(["10.147.17.0/24", "172.28.1.0/24 via 10.147.17.1"]);
      const again = await use.world.enrol({ key });
      expect([again.status, again.json["slot"]]).toEqual([200, 1]);
      expect(await use.world.outbox()).toHaveLength(1);
    },
  );

  it("makes no lease before the network was ever made fit", async () => {
    use.world.central.fail("GET", "/network/8056c2e21c000001", { kind: "status", status: 500, times: 9 });
    const key = await use.world.key();
    const refused = await use.world.enrol({ key });
    expect([refused.status, refused.json["type"]]).toEqual([503, "/problems/controller-unreachable"]);
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
    expect((await use.world.admin("GET", "/v1/keys")).json).toMatchObject({ items: [{ uses: 0 }] });
    use.world.central.faults.clear();
    expect((await use.world.enrol({ key })).status).toBe(200);
  });

  it("is waited for with a lease for as long as what is known of the network is not old", async () => {
    const key = await use.world.key({ maxUses: 5 });
    const enrol = (number: number) => use.world.enrol({ key, number });
    await enrol(0);
    await use.world.settle();
    use.world.central.fail("GET", "/network", { kind: "status", status: 500, times: 99 });
    use.world.advance(9 * 60_000);
    const slots = async () => {
      const { json } = await use.world.admin("GET", "/v1/nodes");
      return json;
    };
    // It is leased, and told to nobody before it was compared with what others hold by now.
    expect((await enrol(1)).json["type"]).toBe("/problems/controller-unreachable");
    expect(await slots()).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ slot: 2 })]),
    });
    expect(use.world.central.network.members.has(identity(1).node)).toBe(false);
    use.world.advance(60_000);
    const refused = await enrol(3);
    expect([refused.status, refused.json["type"]]).toEqual([503, "/problems/controller-unreachable"]);
    expect((await enrol(0)).json["slot"]).toBe(1);
    use.world.central.faults.clear();
    await use.world.settle();
    expect(use.world.central.network.members.get(identity(1).node)?.config.ipAssignments).toEqual([
      "10.147.17.2",
    ]);
    expect((await enrol(1)).json["slot"]).toBe(2);
  });

  it("is tried again and again until it takes the member", async () => {
    use.world.central.fail("POST", member(0), { kind: "status", status: 500, times: 4 });
    await use.world.enrol();
    await use.world.settle();
    expect(use.world.central.count("POST", /member/)).toBe(5);
    expect(await use.world.outbox()).toEqual([]);
  });

  it("is not asked earlier because something else changes, and counts on", async () => {
    await use.world.enrol();
    const routes = () =>
      runInDurableObject(use.world.object, (_, state) =>
        state.storage.sql
          .exec<{ attempts: number; due_at: number }>(
            "SELECT attempts, due_at FROM outbox WHERE kind = 'routes'",
          )
          .one(),
      );
    await runInDurableObject(use.world.object, (_, state) => {
      state.storage.sql.exec(
        "UPDATE outbox SET attempts = 5, due_at = ? WHERE kind = 'routes'",
        Date.now() + 600_000,
      );
    });
    const before = await routes();
    await use.world.admin("PATCH", `/v1/nodes/${identity(0).node}`, { name: "db1" });
    expect(await routes()).toEqual(before);
  });

  it("keeps servers waiting longer each time that it fails", async () => {
    use.world.central.fail("POST", member(0), { kind: "status", status: 500, times: 9 });
    const key = await use.world.key();
    const waits: number[] = [];
    for (let asked = 0; asked < 4; asked++)
      waits.push(Number((await use.world.enrol({ key })).headers.get("Retry-After")));
    expect(waits).toEqual([15, 30, 60, 120]);
  });

  it("is not asked again before the time that it names", async () => {
    use.world.central.fail("POST", member(0), { kind: "status", status: 429 });
    const refused = await use.world.enrol();
    const begun = use.world.now();
    while (use.world.central.count("POST", /member/) < 2) await use.world.fireAlarm();
    expect(use.world.now() - begun).toBeGreaterThanOrEqual(
      (Number(refused.headers.get("Retry-After")) - 1) * 1000,
    );
  });
});

describe("a crash between the steps", () => {
  it("after the transaction, before the controller was told: the alarm tells it within a minute", async () => {
    const key = await use.world.key();
    const begun = use.world.now();
    const held = use.world.central.hold(/\/member\/[0-9a-f]+$/);
    const enrolment = use.world.enrol({ key });
    await held.seen();
    await use.world.crash();
    held.free();
    expect((await enrolment).json["type"]).toBe("/problems/object-unreachable");
    expect(use.world.central.network.members.size).toBe(0);
    const isIn = () => use.world.central.network.members.get(identity(0).node)?.config.authorized === true;
    await use.world.key();
    for (let alarms = 0; !isIn() && alarms < 9; alarms++) await use.world.fireAlarm();
    expect(isIn()).toBe(true);
    expect(use.world.now() - begun).toBeLessThan(60_000);
    expect((await use.world.enrol({ key })).json).toMatchObject({ slot: 1, state: "active" });
  });

  it("after the controller was told, before its answer was kept: it is told the same again", async () => {
    use.world.central.fail("POST", member(0), { kind: "lost" });
    const key = await use.world.key();
    expect((await use.world.enrol({ key })).status).toBe(503);
    await use.world.crash();
    expect((await use.world.enrol({ key })).json).toMatchObject({ slot: 1, state: "active" });
    expect(use.world.central.count("POST", /member/)).toBe(2);
    expect([...use.world.central.network.members.keys()]).toEqual([identity(0).node]);
  });

  it("after the answer, before copy and routes: both follow", async () => {
    await use.world.enrol();
    await use.world.crash();
    await use.world.settle();
    expect(use.world.routes()).toContain("172.28.1.0/24 via 10.147.17.1");
    expect(await use.world.outbox()).toEqual([]);
  });

  it("between reading the routes and writing them", async () => {
    await use.world.enrol();
    const read = use.world.central.holdAnswer(/^\/network\/[0-9a-f]+$/);
    const alarm = use.world.fireAlarm().catch(() => "died");
    await read.seen();
    await use.world.crash();
    read.free();
    expect(await alarm).toBe("died");
    expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
    await use.world.settle();
    expect(use.world.routes()).toContain("172.28.1.0/24 via 10.147.17.1");
  });

  it("while the network was being made fit", async () => {
    use.world.central.fail("POST", "/network/8056c2e21c000001", { kind: "lost" });
    const key = await use.world.key();
    expect((await use.world.enrol({ key })).status).toBe(503);
    await use.world.crash();
    expect((await use.world.enrol({ key })).json["slot"]).toBe(1);
  });
});

describe("the outbox", () => {
  it("makes one write of the routes out of a burst of leases", async () => {
    const key = await use.world.key({ maxUses: 12 });
    const numbers = Array.from({ length: 12 }, (_, number) => number);
    const answers = await Promise.all(numbers.map((number) => use.world.enrol({ key, number })));
    expect(new Set(answers.map(({ json }) => json["slot"])).size).toBe(12);
    await use.world.settle();
    // The first makes the network fit.
    expect(use.world.central.count("POST", /^\/network\/[0-9a-f]+$/)).toBe(1 + 1);
    expect(use.world.central.count("POST", /member/)).toBe(12);
    expect(use.world.routes()).toHaveLength(13);
  });

  it("holds the routes back while members are on their way, but not for ever", async () => {
    await use.world.enrol();
    // A second member waits for its turn at the controller all the time.
    await runInDurableObject(use.world.object, (_, state) => {
      const late = Date.now() + 3_600_000;
      state.storage.sql.exec(
        "INSERT INTO outbox (kind, subject, created_at, due_at) VALUES ('member', '0123456789', 0, ?)",
        late,
      );
    });
    const begun = use.world.now();
    while (use.world.routes().length === 1) await use.world.fireAlarm();
    expect(use.world.now() - begun).toBeGreaterThan(13_000);
    expect(use.world.now() - begun).toBeLessThan(17_000);
  });

  it("holds the routes back while an enrolment is under way that has no lease yet", async () => {
    await use.world.enrol();
    await use.world.settle();
    // The list of members is old by now: the next enrolment waits for a new one.
    use.world.advance(11 * 60_000);
    const list = use.world.central.hold(/\/member$/);
    const enrolment = use.world.enrol({ number: 1 });
    await list.seen();
    await use.world.admin("PATCH", `/v1/nodes/${identity(0).node}`, { name: "db1" });
    const writes = (): number => use.world.central.count("POST", /^\/network\/[0-9a-f]+$/);
    const before = writes();
    for (let alarms = 0; alarms < 4; alarms++) await use.world.fireAlarm();
    expect(writes()).toBe(before);
    list.free();
    expect((await enrolment).status).toBe(200);
    await use.world.settle();
    expect(writes()).toBe(before + 1);
    expect(use.world.routes()).toContain("172.28.2.0/24 via 10.147.17.2");
  });

  it("makes at most 40 calls in one alarm, and the rest in the next", async () => {
    await use.world.enrol();
    await use.world.settle();
    await runInDurableObject(use.world.object, (_, state) => {
      const due = Date.now() + 500;
      for (let number = 10; number < 70; number++)
        state.storage.sql.exec(
          "INSERT INTO outbox (kind, subject, created_at, due_at) VALUES ('copy', ?, ?, ?)",
          `00000000${number}`,
          due,
          due,
        );
    });
    const waiting = async (): Promise<number> =>
      (await use.world.outbox()).filter(({ subject }) => subject.startsWith("00000000")).length;
    // Any change sets the alarm.
    await use.world.key();
    await use.world.fireAlarm();
    expect(await waiting()).toBe(20);
    await use.world.fireAlarm();
    expect(await waiting()).toBe(0);
  });

  it("loses no change that is made while an older one is on its way", async () => {
    await use.world.enrol();
    const { node } = identity(0);
    await Promise.all([
      use.world.admin("PATCH", `/v1/nodes/${node}`, { name: "first" }),
      use.world.admin("PATCH", `/v1/nodes/${node}`, { name: "second" }),
      use.world.admin("PATCH", `/v1/nodes/${node}`, { name: "third" }),
    ]);
    await use.world.settle();
    const { json } = await use.world.admin("GET", `/v1/nodes/${node}`);
    expect(json["delivered"]).toBe(true);
    expect(use.world.central.network.members.get(node)?.name).toBe(json["name"]);
  });

  it("sends what is on its way only once, whoever asks for it", async () => {
    const key = await use.world.key();
    const body = await use.world.body();
    const calls = Array.from({ length: 5 }, () => use.world.call("POST", "/v1/enroll", { token: key, body }));
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(use.world.central.count("POST", /member/)).toBe(1);
  });
});
