import type { ControllerKind } from "../config/capabilities.ts";
import type { ControllerSettings } from "../config/controller-settings.ts";
import type { NetworkId } from "../lease/ids.ts";
import type { ClientOptions } from "./api/api.ts";
import { makeCentralV1 } from "./central-v1/client.ts";
import type { Controller } from "./controller.ts";
import { makeZerotierOne } from "./zerotier-one/client.ts";

/** What a client needs besides the settings. */
export type ClientSurroundings = Omit<ClientOptions, "url" | "token"> & { readonly networkId: NetworkId };

const MAKERS: Readonly<
  Record<ControllerKind, (options: ClientSurroundings & Omit<ControllerSettings, "kind">) => Controller>
> = { url: makeZerotierOne, "central-v1": makeCentralV1 };

/** The network at the controller of the settings. */
export function makeController(
  { kind, ...settings }: ControllerSettings,
  surroundings: ClientSurroundings,
): Controller {
  return MAKERS[kind]({ ...surroundings, ...settings });
}
