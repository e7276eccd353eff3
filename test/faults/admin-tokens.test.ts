/** Admin tokens are rotated and used, while the object crashes anywhere. */
import { beforeAll, expect, it } from "vitest";
import { digestAtOnce } from "./host.ts";
import type { Action, Step } from "./schedule.ts";
import { Simulation } from "./simulation.ts";

beforeAll(digestAtOnce);

const HOUR = 3_600_000;

const step = (action: Action, pause = 300): Step => ({ ...action, pause });

it.each(Array.from({ length: 6 }, (_, events) => events))(
  "one that is rotated is good for its overlap and no longer, with a crash %d events after",
  async (events) => {
    const simulation = await Simulation.begin();
    await simulation.play(
      step({ do: "makeToken", token: 0, scope: "read" }),
      step({ do: "rotateToken", token: 0, hours: 2 }, 0),
      step({ do: "crash", events, loses: false }, 3 * HOUR),
      step({ do: "rotateToken", token: 0, hours: 24 }, 36 * HOUR),
      step({ do: "useToken", token: 0 }),
    );
    await simulation.rest();
    expect(simulation.judge.violations).toEqual([]);
  },
);
