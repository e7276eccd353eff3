/** More servers at once than the controller takes calls in the time that one waits. */
import { beforeAll, expect, it } from "vitest";
import { burst } from "./burst.ts";
import { digestAtOnce } from "./host.ts";

beforeAll(digestAtOnce);

it("of a thousand servers that ask at once all are in within a minute and a half", async () => {
  const { answers, atOnce, inAfter, waits, calls } = await burst(1_000, 90);
  expect(inAfter).toHaveLength(1_000);
  expect(atOnce).toBeGreaterThan(400);
  // Nobody is told that the object does not answer: it does, and says when to ask again.
  expect([...answers.keys()].sort()).toEqual(["200", "busy", "controller-rate-limited"]);
  for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(10);
  for (const wait of waits) expect(wait).toBeLessThanOrEqual(30);
  expect(calls).toBeLessThan(1_200);
});
