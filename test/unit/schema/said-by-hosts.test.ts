/** What hosts say of themselves is not to be trusted: only its size is looked at. */
import { expect, it } from "vitest";
import { LIMITS } from "../../../worker/config/limits.ts";
import { factsSchema } from "../../../worker/schema/enrolment.ts";
import { heartbeatSchema } from "../../../worker/schema/heartbeat.ts";

/** What is said against it, if anything. */
function faultOf(schema: typeof factsSchema | typeof heartbeatSchema, value: unknown): string | undefined {
  return schema.safeParse(value).error?.issues[0]?.message;
}

it("facts are few, and short", () => {
  const facts = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, n]));
  expect(faultOf(factsSchema, facts(LIMITS.facts))).toBeUndefined();
  expect(faultOf(factsSchema, facts(LIMITS.facts + 1))).toBe("at most 32 facts");
  expect(faultOf(factsSchema, { f: "x".repeat(LIMITS.factCharacters) })).toBeUndefined();
  expect(faultOf(factsSchema, { f: "x".repeat(LIMITS.factCharacters + 1) })).toBe(
    "give at most 256 characters",
  );
  expect(faultOf(factsSchema, { f: { g: 1 } })).toBe("it has none of the forms that are taken");
  expect(faultOf(factsSchema, { ["x".repeat(65)]: 1 })).toBe("a name in it has the wrong form");
});

it("a report's log is counted in bytes", () => {
  const report = (log: string) => ({ state: "ok", log });
  expect(faultOf(heartbeatSchema, report("é".repeat(LIMITS.reportLogBytes / 2)))).toBeUndefined();
  expect(faultOf(heartbeatSchema, report("é".repeat(LIMITS.reportLogBytes / 2 + 1)))).toBe(
    "at most 4096 bytes",
  );
});
