import { expect, it } from "vitest";
import { ControllerError, HeldBackError } from "../../../worker/controller/controller.ts";
import { controllerRefusal } from "../../../worker/controller/controller-refusal.ts";

const NOW = 1_000_000;

/** Seconds after which a failed call is to be asked again. `named`: what the controller said. */
function retryAfter(
  attempts: number,
  named?: number,
  reason: "server-error" | "unauthorized" = "server-error",
) {
  const retryAt = named === undefined ? undefined : NOW + named * 1000;
  const refusal = controllerRefusal(new ControllerError(reason, "no", retryAt), NOW, attempts);
  return "retryAfter" in refusal ? refusal.retryAfter : undefined;
}

it("those who wait ask less and less often, up to five minutes", () => {
  expect([1, 2, 3, 5, 6, 100_000].map((attempts) => retryAfter(attempts))).toEqual([
    15, 30, 60, 240, 300, 300,
  ]);
  expect(retryAfter(1, undefined, "unauthorized")).toBe(300);
});

it("they ask when the controller says at first, and later not before their own turn", () => {
  expect([retryAfter(1, 2), retryAfter(1, 0.1), retryAfter(1, -5), retryAfter(1, 90)]).toEqual([2, 1, 1, 90]);
  expect([retryAfter(2, 2), retryAfter(2, 90)]).toEqual([30, 90]);
});

it("one that was held back asks when it is its turn, however often it came too late before", () => {
  const error = new HeldBackError("too many enrolments", NOW + 12_300);
  for (const attempts of [1, 2, 9])
    expect(controllerRefusal(error, NOW, attempts)).toEqual({
      problem: "controller-rate-limited",
      fault: "too many enrolments",
      retryAfter: 13,
    });
});
