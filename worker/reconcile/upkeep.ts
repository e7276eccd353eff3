import type { Log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { NetworkMembers } from "../controller/network-members.ts";
import type { NetworkWriter } from "../controller/network-writer.ts";
import type { Stores } from "../store/stores.ts";

/** What keeping leases and controller in line works with. */
export interface Upkeep {
  readonly config: Config;
  readonly stores: Stores;
  readonly members: NetworkMembers;
  readonly writer: NetworkWriter;
  /** ms since 1970. */
  readonly now: () => number;
  readonly log: Log;
}
