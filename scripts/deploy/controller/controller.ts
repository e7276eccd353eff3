import type { ControllerNetwork } from "../../../worker/controller/controller.ts";
import type { NetworkId } from "../../../worker/lease/ids.ts";
import { centralV1 } from "./central-v1.ts";

/** A network at a controller. */
export interface FoundNetwork {
  readonly id: NetworkId;
  readonly settings: ControllerNetwork;
}

/** What a deployment asks a controller before there is a Worker that could. */
export interface ControllerAccount {
  /** The networks that the token may manage. Throws a Refused when the token is not accepted. */
  networks(): Promise<readonly FoundNetwork[]>;
  /** Makes a private network. */
  makeNetwork(name: string): Promise<FoundNetwork>;
}

/** What a controller is reached by. `fetch` is the platform's. */
export interface ControllerAccess {
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof fetch;
}

/** A kind of controller: one file beside this one, and one line here. */
export const CONTROLLER_KINDS = { "central-v1": centralV1 } satisfies Record<
  string,
  (access: ControllerAccess) => ControllerAccount
>;
