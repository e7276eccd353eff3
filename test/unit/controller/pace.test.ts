import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ControllerError } from "../../../worker/controller/controller.ts";
import { makePace } from "../../../worker/controller/pace.ts";
import { makeFakeClock } from "./fake-clock.ts";

/** The most of the times that lie within any second (end excluded, as a limiter counts). */
function busiestSecond(times: readonly number[]): number {
  return Math.max(
    0,
    ...times.map((start) => times.filter((time) => time >= start && time < start + 1000).length),
  );
}

describe("the pace of calls", () => {
  it("never lets a second hold more calls than the limit at the other side, whatever the latency there and back", async () => {
    const calls = fc.array(fc.record({ gap: fc.nat(120), there: fc.nat(700), back: fc.nat(700) }), {
      minLength: 1,
      maxLength: 70,
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), calls, async (limit, plan) => {
        const clock = makeFakeClock();
        const pace = makePace({ ...clock, limit, maxWaitMs: Number.POSITIVE_INFINITY });
        const left: number[] = [];
        const arrived: number[] = [];
        let underWay = 0;
        let most = 0;
        const caller = async (): Promise<void> => {
          for (const [index, { gap, there, back }] of plan.entries()) {
            await clock.sleep(gap);
            void pace.run(async () => {
              left.push(index);
              underWay += 1;
              most = Math.max(most, underWay);
              await clock.sleep(there);
              arrived.push(clock.now());
              await clock.sleep(back);
              underWay -= 1;
            });
          }
        };
        void caller();
        await clock.run();
        expect(left).toEqual(plan.map((_, index) => index));
        expect(arrived).toHaveLength(plan.length);
        expect(busiestSecond(arrived)).toBeLessThanOrEqual(limit);
        expect(most).toBeLessThanOrEqual(5);
      }),
      { numRuns: 60 },
    );
  });

  it("gives a hundred calls at once to Central in less than seven seconds, a few at first without a wait", async () => {
    const clock = makeFakeClock();
    const start = clock.now();
    const pace = makePace(clock);
    const times: number[] = [];
    const all = Promise.all(
      Array.from({ length: 100 }, () =>
        pace.run(async () => {
          times.push(clock.now() - start);
          await clock.sleep(100);
        }),
      ),
    );
    await clock.run();
    await all;
    expect(times.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(clock.now() - start).toBeLessThan(7000);
    expect(busiestSecond(times)).toBeLessThanOrEqual(19);
  });

  it("refuses at once, with the time to come back, what would wait too long", async () => {
    const clock = makeFakeClock();
    const pace = makePace({ ...clock, limit: 2, maxWaitMs: 1500 });
    const outcomes = Array.from({ length: 3 }, () => pace.run(async () => "done").catch((error) => error));
    const refused: unknown = await outcomes[2];
    expect(refused).toBeInstanceOf(ControllerError);
    expect(refused).toMatchObject({ reason: "rate-limited", retryAt: clock.now() + 2000 });
    await clock.run();
    expect(await outcomes[1]).toBe("done");
  });

  it("refuses a call whose turn came too late because calls before it hung", async () => {
    const clock = makeFakeClock();
    const pace = makePace({ ...clock, maxInFlight: 1, maxWaitMs: 5000 });
    const hung = pace.run(() => clock.sleep(9000));
    const late = pace.run(async () => "done").catch((error) => error);
    await clock.run();
    await hung;
    expect(await late).toMatchObject({ reason: "rate-limited" });
  });

  it("holds every call back after a 429, also one that was about to go", async () => {
    const clock = makeFakeClock();
    const pace = makePace({ ...clock, limit: 2 });
    const until = clock.now() + 7000;
    const times: number[] = [];
    const call = () => pace.run(async () => times.push(clock.now()));
    const calls = [call(), call(), call()];
    pace.holdUntil(until);
    await clock.run();
    await Promise.all(calls);
    expect(times[0]).toBeLessThan(until);
    expect(times[1]).toBeGreaterThanOrEqual(until);
    expect(times).toHaveLength(3);
  });

  it("refuses those that a long hold would keep beyond their longest wait, and holds up nobody until its end", async () => {
    const clock = makeFakeClock();
    const pace = makePace({ ...clock, limit: 2, maxWaitMs: 5000 });
    const start = clock.now();
    const refusals: { reason: string; retryAt: number; after: number }[] = [];
    const call = (): void => {
      pace
        .run(async () => pace.holdUntil(start + 3_600_000))
        .catch(({ reason, retryAt }) => refusals.push({ reason, retryAt, after: clock.now() - start }));
    };
    for (let number = 0; number < 4; number++) call();
    await clock.run();
    expect(refusals).toHaveLength(3);
    for (const { reason, retryAt, after } of refusals) {
      expect([reason, retryAt]).toEqual(["rate-limited", start + 3_600_000]);
      expect(after).toBeLessThanOrEqual(5000);
    }
    expect(clock.now() - start).toBeLessThanOrEqual(5000);
  });

  it("lets a call that must follow closely go ahead of all that wait", async () => {
    const clock = makeFakeClock();
    const pace = makePace(clock);
    const start = clock.now();
    const left: string[] = [];
    const call = (name: string, order?: "first") => pace.run(async () => left.push(name), order);
    const read = call("read").then(async () => {
      await call("write", "first");
      return clock.now() - start;
    });
    const others = Array.from({ length: 60 }, (_, number) => call(String(number)));
    await clock.run();
    await Promise.all(others);
    expect(await read).toBeLessThan(200);
    expect(left.indexOf("write")).toBeLessThan(8);
    expect(left.filter((name) => /\d/.test(name))).toEqual(others.map((_, number) => String(number)));
  });

  it("lets the others have their turn, however many go ahead of them", async () => {
    const clock = makeFakeClock();
    const pace = makePace({ ...clock, limit: 1 });
    const left: string[] = [];
    const call = (name: string, order?: "first") => pace.run(async () => left.push(name), order);
    const look = async (): Promise<void> => {
      for (let times = 0; times < 20; times += 1) {
        await call("look", "first");
        await call("write", "first");
      }
    };
    const all = Promise.all([look(), look(), look(), call("one"), call("two"), call("three")]);
    await clock.run();
    await all;
    const others = left.flatMap((name, place) => (/look|write/.test(name) ? [] : [[name, place]]));
    expect(others).toEqual([
      ["one", 2],
      ["two", 5],
      ["three", 8],
    ]);
  });

  it("takes the limit that it is told, but none beyond what ZeroTier sells", async () => {
    const timeFor = async (limit: number): Promise<number> => {
      const clock = makeFakeClock();
      const pace = makePace(clock);
      pace.learnLimit(limit);
      const start = clock.now();
      const all = Promise.all(Array.from({ length: 200 }, () => pace.run(async () => undefined)));
      await clock.run();
      await all;
      return clock.now() - start;
    };
    const free = await timeFor(20);
    const paid = await timeFor(100);
    expect(paid).toBeLessThan(free / 4);
    expect(await timeFor(100_000)).toBe(paid);
    expect(await timeFor(0)).toBe(free);
    expect(await timeFor(Number.NaN)).toBe(free);
  });

  it("counts what has left and what was refused, and says the limit that it keeps", async () => {
    const clock = makeFakeClock();
    const pace = makePace({ ...clock, limit: 5, maxWaitMs: 1_000 });
    const all = Promise.allSettled(Array.from({ length: 10 }, () => pace.run(async () => undefined)));
    await clock.run();
    const outcomes = await all;
    const made = outcomes.filter(({ status }) => status === "fulfilled").length;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(10);
    pace.learnLimit(50);
    pace.learnLimit(0);
    expect(pace.use()).toEqual({ made, refused: 10 - made, limit: 50 });
  });

  it("goes on after a call that fails, and hands its error over", async () => {
    const clock = makeFakeClock();
    const pace = makePace(clock);
    await expect(pace.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    await expect(pace.run(async () => "next")).resolves.toBe("next");
  });

  it("says how it stands: what leaves, what waits, and until when all is held back", async () => {
    const clock = makeFakeClock();
    const pace = makePace({ ...clock, limit: 3, maxInFlight: 1 });
    expect(pace.state()).toEqual({ limit: 2, lately: 0, waiting: 0, heldUntil: undefined });
    const calls = [0, 1].map(() => pace.run(() => clock.sleep(300)));
    expect(pace.state()).toMatchObject({ lately: 1, waiting: 1 });
    await clock.run();
    await Promise.all(calls);
    expect(pace.state()).toMatchObject({ waiting: 0 });
    const until = clock.now() + 60_000;
    pace.holdUntil(until);
    void clock.sleep(1001);
    await clock.run();
    expect(pace.state()).toEqual({ limit: 2, lately: 0, waiting: 0, heldUntil: until });
  });
});
