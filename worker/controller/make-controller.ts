import type { ControllerSettings } from "../config/controller-settings.ts";
import type { ClientSurroundings } from "./api/api.ts";
import { makeCentralV1 } from "./central-v1/client.ts";
import type { Controller } from "./controller.ts";
import { makeOwn } from "./own/client.ts";
import { makeZerotierOne } from "./zerotier-one/client.ts";

/** The network at the controller of the settings. */
export function makeController(settings: ControllerSettings, surroundings: ClientSurroundings): Controller {
  switch (settings.kind) {
    case "own":
      return makeOwn(surroundings);
    case "url":
      return makeZerotierOne({ ...surroundings, ...settings });
    case "central-v1":
      return makeCentralV1({ ...surroundings, ...settings });
  }
}
