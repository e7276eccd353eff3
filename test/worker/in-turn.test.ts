import { expect, test } from "vitest";
import { inTurn } from "../../worker/network/network-context.ts";

test("one call after the other, each with a pause behind it, also after a failure", async () => {
  const events: string[] = [];
  const work = async (input: string): Promise<string> => {
    events.push(`begins ${input}`);
    await Promise.resolve();
    events.push(`ends ${input}`);
    if (input === "b") throw new Error("b fails");
    return input.toUpperCase();
  };
  const run = inTurn(work, async () => {
    events.push("pause");
  });
  const results = await Promise.allSettled([run("a"), run("b"), run("c")]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(events).toEqual(
    ["a", "b", "c"].flatMap((input) => [`begins ${input}`, `ends ${input}`, "pause"]).slice(0, events.length),
  );
  expect(events.length).toBeGreaterThanOrEqual(8);
});
