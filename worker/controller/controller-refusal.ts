import { errorText } from "../base/log.ts";
import type { Refusal } from "../base/refusal.ts";
import { ControllerError, HeldBackError } from "./controller.ts";

/** Seconds after which asking again may help: after the first failure, at most, and when the operator has to act. */
const RETRY = { first: 15, longest: 300, operator: 300 } as const;

/**
 * What a failed call to the controller means for the caller of the API. `now`: ms since 1970; `attempts`: how often it has
 * failed, so that those who wait ask less and less often.
 */
export function controllerRefusal(error: unknown, now: number, attempts = 1): Refusal {
  const usual = Math.min(RETRY.longest, RETRY.first * 2 ** (attempts - 1));
  if (!(error instanceof ControllerError))
    return { problem: "controller-unreachable", fault: errorText(error), retryAfter: usual };
  const named =
    error.retryAt === undefined ? undefined : Math.max(1, Math.ceil((error.retryAt - now) / 1000));
  // Nobody has refused a call that was held back here: its turn comes when it is said to.
  const isFailing = attempts > 1 && !(error instanceof HeldBackError);
  const retryAfter = isFailing ? Math.max(named ?? 0, usual) : (named ?? usual);
  switch (error.reason) {
    case "unauthorized":
      return { problem: "controller-unauthorized", fault: error.message, retryAfter: RETRY.operator };
    case "rate-limited":
      return { problem: "controller-rate-limited", fault: error.message, retryAfter };
    case "not-found":
      return { problem: "network-unfit", networkId: undefined, faults: [error.message] };
    default:
      return { problem: "controller-unreachable", fault: error.message, retryAfter };
  }
}
