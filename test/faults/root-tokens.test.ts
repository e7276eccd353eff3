/** ADMIN_TOKEN is another one, while the object crashes anywhere: who has the present one gets in, and nobody with one that was ended. */
import { createHash } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { digestAtOnce, SETTINGS } from "./host.ts";
import type { Action, Step } from "./schedule.ts";
import { Simulation } from "./simulation.ts";

beforeAll(digestAtOnce);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const step = (action: Action, pause = 200): Step => ({ ...action, pause });
const wait = (pause: number): Step => step({ do: "wait" }, pause);
const hash = (token: string): string => createHash("sha256").update(token).digest("hex");

async function play(...steps: Step[]) {
  const simulation = await Simulation.begin();
  await simulation.play(...steps);
  const tokens = simulation.host.storage.rows<{ hash: string; replaced: number; revoked: number }>(
    "SELECT hash, replaced_at IS NOT NULL AS replaced, revoked_at IS NOT NULL AS revoked FROM root_tokens",
  );
  await simulation.rest();
  return { simulation, tokens, violations: simulation.judge.violations };
}

/** What the object notes of the present one alone. */
const currentOf = (tokens: readonly { hash: string; replaced: number }[]): string[] =>
  tokens.filter(({ replaced }) => replaced === 0).map((token) => token.hash);

it("two changes ago and ended, its deployment comes back and lets nobody in", async () => {
  const { tokens, violations } = await play(
    step({ do: "makeUserData" }),
    step({ do: "rotateRoot", hours: 24 }),
    step({ do: "endFormer", forget: true }),
    step({ do: "rotateRoot", hours: 24 }),
    wait(11 * MINUTE),
    step({ do: "rollBackRoot", far: true }),
    step({ do: "repeatUserData" }),
  );
  expect(violations).toEqual([]);
  expect(tokens.filter(({ revoked }) => revoked === 1).map((token) => token.hash)).toEqual([
    hash(SETTINGS.ADMIN_TOKEN),
  ]);
  expect(currentOf(tokens)).toEqual([hash("mba_operator-of-the-tests-00002")]);
});

it("not ended, its deployment comes back with it", async () => {
  const { tokens, violations } = await play(
    step({ do: "makeUserData" }),
    step({ do: "rotateRoot", hours: 1 }),
    wait(2 * HOUR),
    step({ do: "rollBackRoot", far: false }),
    step({ do: "useRoot", which: "former" }),
    step({ do: "repeatUserData" }),
  );
  expect(violations).toEqual([]);
  expect(currentOf(tokens)).toEqual([hash(SETTINGS.ADMIN_TOKEN)]);
});

it.each(Array.from({ length: 12 }, (_, events) => events))(
  "a crash %d events after the change",
  async (events) => {
    for (const loses of [true, false]) {
      const { tokens, violations } = await play(
        step({ do: "makeUserData" }),
        step({ do: "crash", events, loses }, 0),
        step({ do: "rotateRoot", hours: 1 }),
        step({ do: "rotateControllerToken" }),
        step({ do: "crash", events, loses }, 0),
        step({ do: "endFormer", forget: false }, 2 * HOUR),
        step({ do: "useRoot", which: "former" }),
        step({ do: "repeatUserData" }),
      );
      expect(violations).toEqual([]);
      expect(currentOf(tokens)).toEqual([hash("mba_operator-of-the-tests-00001")]);
    }
  },
);
