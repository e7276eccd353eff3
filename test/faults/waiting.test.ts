// What waits for a controller or KV while some of it always fails: the outbox and its alarm on a clock of the test's own.
import { expect, it } from "vitest";
import { ControllerError } from "../../worker/controller/controller.ts";
import { AlarmClock } from "../../worker/outbox/alarm-clock.ts";
import { Outbox } from "../../worker/outbox/outbox.ts";
import { migrate } from "../../worker/store/migrations.ts";
import { openStores } from "../../worker/store/stores.ts";
import { Storage } from "./storage.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const BEGUN = Date.UTC(2026, 10, 29, 1);
const ROWS_USED_UP = "Exceeded allowed rows written in Durable Objects free tier.";
const KV_USED_UP = "KV put() limit exceeded for the day.";

/** An outbox whose deliveries reject with what `fails` gives for a subject, if anything. */
function openOutbox(fails: (subject: string) => Error | undefined) {
  const time = { now: BEGUN, isBroken: false };
  const now = () => time.now;
  const storage = new Storage(() => {});
  const view = storage.view(async (value) => value);
  migrate(view);
  const { sql } = view;
  const exec = sql.exec.bind(sql);
  sql.exec = (query, ...values) => {
    if (time.isBroken && /^\s*(INSERT|UPDATE|DELETE)/i.test(query)) throw new Error(ROWS_USED_UP);
    return exec(query, ...values);
  };
  const log = () => {};
  const alarm = new AlarmClock({ storage: view, setTo: undefined, now, log });
  const stores = openStores(view, (waiting) => alarm.arm(waiting), now);
  const delivered = new Map<string, number>();
  const delivery = {
    cost: () => 1,
    deliver: async (subject: string) => {
      const error = fails(subject);
      if (error !== undefined) throw error;
      delivered.set(subject, time.now);
      return undefined;
    },
  };
  const deliveries = { member: delivery, routes: delivery, copy: delivery };
  const outbox = new Outbox({ stores, deliveries, now, random: () => 0.5, log });
  /** Lets the alarm go off until then; how often it did. */
  const pass = async (until: number): Promise<number> => {
    let times = 0;
    for (; storage.alarm !== undefined && storage.alarm <= until; times++) {
      time.now = Math.max(time.now, storage.alarm);
      storage.alarm = undefined;
      await alarm.goOff(stores.waiting, async () => {
        stores.writePause.prove();
        await outbox.work();
      });
    }
    time.now = until;
    return times;
  };
  return { time, stores, outbox, delivered, pass };
}

it.each([1, 20])("%i members that always fail keep no removal back for long", async (failing) => {
  const isBad = (subject: string) => subject.startsWith("bad");
  const { time, stores, delivered, pass } = openOutbox((subject) =>
    isBad(subject) ? new ControllerError("bad-answer", "no shape") : undefined,
  );
  stores.transaction(() => {
    for (let at = 0; at < failing; at++) stores.outbox.put("member", `bad${at}`, time.now, time.now);
  });
  await pass(BEGUN + 6 * HOUR);
  const asked = time.now;
  stores.transaction(() => stores.outbox.put("member", "removed", asked, asked));
  await pass(asked + 6 * HOUR);
  expect((delivered.get("removed") ?? Number.POSITIVE_INFINITY) - asked).toBeLessThanOrEqual(10 * MINUTE);
});

it("what a controller says of a quota of its own is not taken for that of KV or of the object", async () => {
  let isAway = true;
  const { time, stores, outbox, delivered, pass } = openOutbox(() =>
    isAway ? new ControllerError("server-error", `status 500, it says: ${KV_USED_UP}`) : undefined,
  );
  stores.transaction(() => stores.outbox.put("member", "revoked", time.now, time.now));
  await outbox.deliver("member", "revoked");
  expect(stores.outbox.hasFailing("member", 1)).toBe(true);
  isAway = false;
  await pass(BEGUN + HOUR);
  expect((delivered.get("revoked") ?? Number.POSITIVE_INFINITY) - BEGUN).toBeLessThanOrEqual(MINUTE);
});

it.each([
  ["nothing waits", undefined],
  ["all that waits is held back", new Error(KV_USED_UP)],
])("the alarm pauses while the object's rows are used up and %s", async (_, error) => {
  const { time, stores, outbox, pass } = openOutbox(() => error);
  stores.transaction(() => {
    stores.memory.setNetworkId("8056c2e21c000001");
    stores.outbox.put("copy", "4e8d87c868", time.now, time.now + 30 * SECOND);
  });
  await outbox.deliver("copy", "4e8d87c868");
  time.isBroken = true;
  expect(() => stores.transaction(() => stores.memory.rewrite())).toThrow(ROWS_USED_UP);
  expect(await pass(BEGUN + HOUR)).toBeLessThanOrEqual(12);
});
