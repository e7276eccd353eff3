/** A receiver that fails, is slow, loses its answers and comes back gets each event; and one that does not would be found. */
import { beforeAll, describe, expect, it } from "vitest";
import { digestAtOnce } from "./host.ts";
import type { Mood } from "./receivers.ts";
import type { Action } from "./schedule.ts";
import { Simulation } from "./simulation.ts";

beforeAll(digestAtOnce);

const MINUTE = 60_000;

async function play(pause: number, ...actions: readonly Action[]): Promise<Simulation> {
  const simulation = await Simulation.begin();
  await simulation.play(...actions.map((action) => ({ ...action, pause })));
  return simulation;
}

const states = ({ host }: Simulation) =>
  host.storage.rows<{ failures: number; due_at: number | null; sent_through: number }>(
    "SELECT failures, due_at, sent_through FROM webhooks",
  );

describe("a webhook", () => {
  it.each(["refuses", "slow", "loses", "away"] as const satisfies readonly Mood[])(
    "whose receiver %s gets each event once it comes back, in a call a batch",
    async (mood) => {
      const simulation = await play(
        MINUTE,
        { do: "makeWebhook" },
        { do: "receive", mood },
        { do: "enrol", server: 0 },
        { do: "enrol", server: 1 },
        { do: "revoke", server: 0 },
      );
      expect(states(simulation)[0]?.failures).toBeGreaterThan(2);
      await simulation.play({ do: "receive", mood: "takes", pause: 30 * MINUTE });
      expect(states(simulation)).toMatchObject([{ failures: 0, due_at: null }]);
      await simulation.rest();
      expect(simulation.judge.violations).toEqual([]);
    },
  );

  it("is sent what came while the object was away, after a crash in the middle of a call", async () => {
    for (let events = 0; events < 12; events++) {
      const simulation = await play(100, { do: "makeWebhook" }, { do: "enrol", server: 0 });
      await simulation.play(
        { do: "wait", pause: 900 },
        { do: "crash", events, loses: true, pause: 10 * MINUTE },
      );
      expect(states(simulation)).toMatchObject([{ failures: 0, due_at: null }]);
      await simulation.rest();
      expect(simulation.judge.violations).toEqual([]);
    }
  });

  it("that is deleted is called no more, and one with another secret is called with that", async () => {
    const simulation = await play(
      MINUTE,
      { do: "makeWebhook" },
      { do: "makeWebhook", wants: ["enrolled"] },
      { do: "receive", mood: "slow" },
      { do: "enrol", server: 0 },
      { do: "rotateWebhook", now: true },
      { do: "deleteWebhook" },
      { do: "enrol", server: 1 },
      { do: "testWebhook" },
    );
    await simulation.rest();
    expect(simulation.judge.violations).toEqual([]);
  });

  it("that never got an event is found by the judge", async () => {
    const simulation = await play(MINUTE, { do: "makeWebhook" }, { do: "enrol", server: 0 });
    simulation.receivers.at("https://hooks.example.com/0")?.received.clear();
    await simulation.rest();
    expect(simulation.judge.violations.join()).toContain("never received event");
  });
});
