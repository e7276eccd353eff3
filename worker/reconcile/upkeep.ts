import type { Log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { Controller } from "../controller/controller.ts";
import type { Stores } from "../store/stores.ts";
import type { NetworkReadiness } from "./network-readiness.ts";

/** What keeping leases and controller in line works with. */
export interface Upkeep {
  readonly config: Config;
  readonly stores: Stores;
  readonly controller: Controller;
  readonly readiness: NetworkReadiness;
  /** ms since 1970. */
  readonly now: () => number;
  readonly log: Log;
}
