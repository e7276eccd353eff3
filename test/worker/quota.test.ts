// What happens when a quota of the free plan is used up.
import { abortAllDurableObjects, reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DAY, FreePlan, HOUR, MINUTE, ROWS_USED_UP, SECOND, serverId } from "./free-plan.ts";

afterEach(async () => {
  await reset();
  await abortAllDurableObjects();
  vi.restoreAllMocks();
});

/** Enrols servers, and lets all be delivered that can be. */
async function enrolAll(plan: FreePlan, servers: number): Promise<string> {
  const key = await plan.key();
  for (let number = 0; number < servers; number++) await plan.enrol(number, key);
  await plan.pass(MINUTE);
  return key;
}

/** Until midnight somebody asks now and then, and the object is forgotten in between. */
async function untilMidnight(plan: FreePlan, everyMs: number): Promise<void> {
  const midnight = (Math.floor(plan.now / DAY) + 1) * DAY;
  while (plan.now + everyMs < midnight) {
    await plan.pass(everyMs);
    await plan.call((object) => object.poolUse());
  }
  await plan.until(midnight - SECOND);
}

describe("when the writes of KV are used up", () => {
  it.each([100, 1000])(
    "%i waiting copies cost a thousand rows a day at most, and come when they are back",
    (servers) =>
      FreePlan.run(async (plan) => {
        plan.kvQuota = 0;
        await enrolAll(plan, servers);
        plan.used();
        await untilMidnight(plan, 5 * MINUTE);
        const { rowsWritten, alarms, kvWrites } = plan.used();
        expect(rowsWritten).toBeLessThanOrEqual(1000);
        expect(alarms).toBeLessThanOrEqual(50);
        expect([kvWrites, plan.waiting("copy")]).toEqual([0, servers]);

        plan.kvQuota = 1000;
        await plan.pass(15 * MINUTE);
        expect([plan.used().kvWrites, plan.copies.size, plan.waiting("copy")]).toEqual([servers, servers, 0]);
      }),
  );

  it("members and routes are delivered all the same", () =>
    FreePlan.run(async (plan) => {
      plan.kvQuota = 0;
      const key = await enrolAll(plan, 3);
      await plan.pass(HOUR);
      const { enrolled } = await plan.enrol(3, key);
      expect(enrolled.lease.state).toBe("active");
      await plan.pass(MINUTE);
      expect([plan.waiting("member"), plan.waiting("routes"), plan.waiting("copy")]).toEqual([0, 0, 4]);
      expect(plan.central.network.config.routes).toHaveLength(5);
    }));

  it("what is more than a day's waits for the next, and no day takes more", () =>
    FreePlan.run(async (plan) => {
      plan.kvQuota = 40;
      await enrolAll(plan, 100);
      const taken: number[] = [];
      for (let day = 0; day < 4; day++) {
        await untilMidnight(plan, HOUR);
        taken.push(plan.used().kvWrites);
        await plan.pass(2 * SECOND);
      }
      expect(taken).toEqual([40, 40, 20, 0]);
      expect([plan.copies.size, plan.waiting("copy")]).toEqual([100, 0]);
    }));

  it("a paid plan is found out within the hour", () =>
    FreePlan.run(async (plan) => {
      plan.kvQuota = 0;
      await enrolAll(plan, 30);
      plan.kvQuota = 1e6;
      plan.renewKv();
      await plan.pass(HOUR);
      expect(plan.waiting("copy")).toBe(0);
    }));
});

describe("when KV takes nothing for another reason", () => {
  it("a thousand copies cost a thousand rows a day at most, and come soon after it does again", () =>
    FreePlan.run(async (plan) => {
      plan.kvFault = () => "KV PUT failed: 500 Internal Server Error";
      await enrolAll(plan, 1000);
      plan.used();
      await untilMidnight(plan, 5 * MINUTE);
      expect(plan.used().rowsWritten).toBeLessThanOrEqual(1000);
      plan.kvFault = () => undefined;
      await plan.pass(15 * MINUTE);
      expect([plan.copies.size, plan.waiting("copy")]).toEqual([1000, 0]);
    }));

  it("one copy that it does not take keeps back no other for long", () =>
    FreePlan.run(async (plan) => {
      plan.kvFault = (key) => (key === `node/${serverId(5)}` ? "KV PUT failed: 400 Bad Request" : undefined);
      await enrolAll(plan, 100);
      expect([plan.copies.size, plan.waiting("copy")]).toEqual([99, 1]);
      plan.used();
      await plan.pass(DAY);
      expect(plan.used().rowsWritten).toBeLessThanOrEqual(2000);
    }));
});

describe("when the controller takes nothing", () => {
  /** Leases of which it was not told. */
  async function leaseUntold(plan: FreePlan, servers: number): Promise<void> {
    const key = await enrolAll(plan, 1);
    for (const method of ["GET", "POST"])
      plan.central.fail(method, "/network", { kind: "status", status: 401, times: 1e6 });
    for (let number = 1; number <= servers; number++)
      await expect(plan.enrol(number, key)).rejects.toThrow("controller-unauthorized");
    await plan.pass(MINUTE);
    plan.used();
  }

  it.each([10, 100])(
    "%i members that wait cost few calls and rows a day, and come soon after it does again",
    (servers) =>
      FreePlan.run(async (plan) => {
        await leaseUntold(plan, servers);
        await untilMidnight(plan, HOUR);
        expect(plan.waiting("member")).toBe(servers);
        const { rowsWritten, controllerCalls } = plan.used();
        expect(rowsWritten).toBeLessThanOrEqual(1500);
        expect(controllerCalls).toBeLessThanOrEqual(300);
        plan.central.faults.clear();
        await plan.pass(15 * MINUTE);
        expect([plan.waiting("member"), plan.central.network.members.size]).toEqual([0, servers + 1]);
      }),
  );

  it("one member that it refuses keeps back no other", () =>
    FreePlan.run(async (plan) => {
      const key = await enrolAll(plan, 1);
      plan.central.fail("POST", `/member/${serverId(1)}`, { kind: "status", status: 422, times: 1e6 });
      await expect(plan.enrol(1, key)).rejects.toThrow("controller-");
      await plan.pass(HOUR);
      plan.central.fail("POST", `/member/${serverId(2)}`, { kind: "status", status: 503 });
      await expect(plan.enrol(2, key)).rejects.toThrow("controller-unreachable");
      await plan.pass(MINUTE);
      expect([...plan.central.network.members.keys()]).toEqual([serverId(0), serverId(2)]);
    }));
});

describe("when the rows of the object are used up", () => {
  /** A lease whose routes and copy are still to be delivered. */
  async function waiting(plan: FreePlan): Promise<string> {
    const key = await plan.key();
    await plan.enrol(0, key);
    plan.used();
    return key;
  }

  it.each([
    { refuses: "writes", takesAlarms: true },
    { refuses: "writes", takesAlarms: false },
    { refuses: "everything", takesAlarms: true },
    { refuses: "everything", takesAlarms: false },
  ] as const)(
    "($refuses, alarms taken: $takesAlarms) the controller is left alone, and all goes on by itself afterwards",
    ({ refuses, takesAlarms }) =>
      FreePlan.run(async (plan) => {
        await waiting(plan);
        plan.refuses = ROWS_USED_UP[refuses];
        plan.takesAlarms = takesAlarms;
        for (let hour = 0; hour < 23; hour++) {
          for (let minutes = 0; minutes < 60; minutes += 5) {
            await plan.pass(5 * MINUTE);
            // Forgotten in between, the object starts for it.
            await plan.call((object) => object.poolUse()).catch(() => {});
          }
          await expect(plan.call((object) => object.reconcile())).rejects.toThrow("Exceeded allowed rows");
        }
        const { controllerCalls, alarms } = plan.used();
        expect(controllerCalls).toBeLessThanOrEqual(5);
        expect(alarms).toBeLessThanOrEqual(150);

        plan.refuses = () => undefined;
        plan.takesAlarms = true;
        await plan.pass(20 * MINUTE);
        // One that was not set, or that the platform gave up, is set by whatever call comes first.
        if (refuses === "everything" || !takesAlarms) {
          await plan.call((object) => object.poolUse());
          await plan.pass(MINUTE);
        }
        expect([plan.waiting("copy"), plan.waiting("routes")]).toEqual([0, 0]);
        expect(plan.central.network.config.routes).toHaveLength(2);
      }),
  );

  it("servers that ask again and again cost no calls to the controller", () =>
    FreePlan.run(async (plan) => {
      const key = await waiting(plan);
      plan.refuses = ROWS_USED_UP.writes;
      plan.takesAlarms = false;
      for (let times = 0; times < 200; times++) {
        await plan.pass(5 * SECOND);
        await expect(plan.enrol(1 + (times % 50), key)).rejects.toThrow("Exceeded allowed rows");
      }
      expect(plan.used().controllerCalls).toBeLessThanOrEqual(5);
    }));

  it("what fails for another reason pauses as well, whatever is written meanwhile, and goes on by itself", () =>
    FreePlan.run(async (plan) => {
      await waiting(plan);
      plan.refuses = (query) =>
        query.startsWith("SELECT * FROM outbox WHERE kind = ? AND due") ? "disk I/O error" : undefined;
      for (let times = 0; times < 300; times++) {
        await plan.pass(2 * SECOND);
        await plan.key();
      }
      expect(plan.used().alarms).toBeLessThanOrEqual(10);
      plan.refuses = () => undefined;
      await plan.pass(15 * MINUTE);
      expect([plan.waiting("copy"), plan.waiting("routes")]).toEqual([0, 0]);
    }));
});
