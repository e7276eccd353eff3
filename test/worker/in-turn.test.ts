import { expect, test } from "vitest";
import { inTurn } from "../../worker/network/in-turn.ts";

/** Turns on a clock of their own, whose pauses take a millisecond. */
function turns(workMs: number, longestMs = 100) {
  const clock = { now: 0 };
  const events: string[] = [];
  const work = async (input: string): Promise<string> => {
    events.push(`begins ${input}`);
    await Promise.resolve();
    clock.now += workMs;
    events.push(`ends ${input}`);
    if (input === "b") throw new Error("b fails");
    return input.toUpperCase();
  };
  const pause = async (): Promise<void> => {
    clock.now += 1;
    events.push("pause");
  };
  const run = inTurn(work, { pause, now: () => clock.now, usualMs: 30, longestMs });
  return { run, events, clock };
}

test("one call after the other, each with a pause behind it, also after a failure", async () => {
  const { run, events } = turns(29);
  const results = await Promise.allSettled([run("a"), run("b"), run("c")]);
  expect(results).toMatchObject([
    { status: "fulfilled", value: { ok: true, value: "A" } },
    { status: "rejected", reason: new Error("b fails") },
    { status: "fulfilled", value: { ok: true, value: "C" } },
  ]);
  expect(events).toEqual(
    ["a", "b", "c"].flatMap((input) => [`begins ${input}`, `ends ${input}`, "pause"]).slice(0, events.length),
  );
  expect(events.length).toBeGreaterThanOrEqual(8);
});

test("a call whose turn would come too late is told so at once, and takes none", async () => {
  const { run, events } = turns(29);
  const results = await Promise.all(["a", "c", "d", "e", "f"].map(run));
  expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true, false]);
  expect(results[4]).toEqual({ ok: false, error: { waitMs: 120 } });
  expect(events).not.toContain("begins f");
  // There is room again.
  expect(await run("g")).toEqual({ ok: true, value: "G" });
});

test("how long the wait would be follows the turns that were taken one behind the other", async () => {
  const slow = turns(299, 1000);
  // Of two at a time the second tells how long the first took: no more than twice as long as was thought.
  await Promise.all(["a", "c"].map(slow.run));
  const many = await Promise.all(Array.from({ length: 31 }, () => slow.run("d")));
  expect(many[30]).toEqual({ ok: false, error: { waitMs: 30 * (30 + 30 / 8) } });
  for (let time = 0; time < 60; time++) await Promise.all(["a", "c"].map(slow.run));
  const results = await Promise.all(["d", "e", "f", "g", "h"].map(slow.run));
  expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true, false]);
  // A pause between two calls is no turn.
  const idle = turns(0);
  for (let time = 0; time < 9; time++) {
    await idle.run("a");
    idle.clock.now += 3_600_000;
  }
  expect((await Promise.all(["c", "d"].map(idle.run))).map(({ ok }) => ok)).toEqual([true, true]);
});

test("a call whose turn comes too late, which could not be foreseen, is not begun any more", async () => {
  const { run, events } = turns(99);
  const results = await Promise.all(["a", "c", "d"].map(run));
  expect(results).toEqual([
    { ok: true, value: "A" },
    { ok: true, value: "C" },
    { ok: false, error: { waitMs: 200 } },
  ]);
  expect(events).not.toContain("begins d");
  expect(await run("e")).toEqual({ ok: true, value: "E" });
});
