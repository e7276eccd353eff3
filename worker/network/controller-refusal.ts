import { ControllerError } from "../controller/controller.ts";
import { errorText } from "../http/log.ts";
import type { Refusal } from "../http/problem.ts";

/** Seconds after which asking again may help, when the controller names no time. */
const RETRY_SECONDS = 15;

/** What a failed call to the controller means for the caller of the API. `now`: ms since 1970. */
export function controllerRefusal(error: unknown, now: number): Refusal {
  if (!(error instanceof ControllerError))
    return { problem: "controller-unreachable", detail: errorText(error), retryAfter: RETRY_SECONDS };
  const retryAfter =
    error.retryAt === undefined ? RETRY_SECONDS : Math.max(1, Math.ceil((error.retryAt - now) / 1000));
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
