import type { ClientSurroundings } from "../api/api.ts";
import type { Remedies } from "../api/refusal.ts";
import type { Controller } from "../controller.ts";
import { makeZerotierOne } from "../zerotier-one/client.ts";

const REMEDIES: Remedies = {
  token: "its own zerotier-one refuses the agent there: restart meshboot-controller on it",
  missing: "The controller on its node has not been told of the network yet",
  url: "the one that the node asks itself",
  down: "the node that hosts the controller (GET /v1/controller names it)",
};

/**
 * The network at the controller that a node of the mesh hosts: the same API, and the same calls, which that node makes at its own
 * loopback. `fetch` is done when the node has answered.
 */
export function makeOwn(surroundings: ClientSurroundings): Controller {
  return makeZerotierOne(
    // The node knows the controller's token, and adds it.
    { ...surroundings, url: "http://127.0.0.1", token: "of-the-node", headers: {} },
    { remedies: REMEDIES, place: "the controller's node" },
  );
}
