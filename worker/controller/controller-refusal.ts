import { errorText } from "../base/log.ts";
import type { Refusal } from "../base/problem.ts";
import { ControllerError } from "./controller.ts";

/** Seconds after which asking again may help: after the first failure, and at most. */
const RETRY = { first: 15, most: 300 } as const;

/**
 * What a failed call to the controller means for the caller of the API. `now`: ms since 1970; `attempts`: how often it has
 * failed, so that those who wait ask less and less often.
 */
export function controllerRefusal(error: unknown, now: number, attempts = 1): Refusal {
  const usual = Math.min(RETRY.most, RETRY.first * 2 ** Math.min(attempts - 1, 10));
  if (!(error instanceof ControllerError))
    return { problem: "controller-unreachable", detail: errorText(error), retryAfter: usual };
  const named =
    error.retryAt === undefined ? undefined : Math.max(1, Math.ceil((error.retryAt - now) / 1000));
  const retryAfter = attempts > 1 ? Math.max(named ?? 0, usual) : (named ?? usual);
  switch (error.reason) {
    case "unauthorized":
      return { problem: "controller-unauthorized", detail: error.message, retryAfter: 300 };
    case "rate-limited":
      return { problem: "controller-rate-limited", detail: error.message, retryAfter };
    case "not-found":
      return { problem: "network-unfit", detail: error.message, errors: [error.message], retryAfter: 300 };
    default:
      return { problem: "controller-unreachable", detail: error.message, retryAfter };
  }
}
