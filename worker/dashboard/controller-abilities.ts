import type { ControllerView } from "../schema/controller.ts";

/** What a kind of controller can do and allows, a sentence each. */
export function controllerAbilities({
  preAuthorizes,
  callsALease,
  callsASecond,
  routes,
  tellsSightings,
}: ControllerView["capabilities"]): string[] {
  return [
    preAuthorizes
      ? "It lets a server in before it was ever seen."
      : "It lets a server in only once it was seen.",
    `Letting one in takes ${callsALease === 1 ? "one call" : `${callsALease} calls`}.`,
    callsASecond === null
      ? "It has no limit of calls."
      : `It takes ${callsASecond} calls a second, until it says otherwise itself.`,
    `Its networks are known to take ${routes.usual} managed routes${routes.usual === routes.most ? "" : `, ${routes.most} at most`}.`,
    tellsSightings
      ? "It says when a server was last seen."
      : "It does not say when a server was last seen: heartbeats do.",
  ];
}
