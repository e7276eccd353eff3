import { expect, it } from "vitest";
import { CONTROLLER_FAULTS, ControllerError, mayHaveLanded } from "../../../worker/controller/controller.ts";

it("a write that failed may have taken effect, unless it was refused before anything was done", () => {
  const landed = CONTROLLER_FAULTS.filter((reason) => mayHaveLanded(new ControllerError(reason, "no")));
  expect(landed).toEqual(["timeout", "unreachable", "server-error", "rejected", "bad-answer"]);
  expect(mayHaveLanded(new TypeError("no"))).toBe(true);
});
