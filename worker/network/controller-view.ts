// How the controller stands, from what is stored and what this object has asked of it: it is not asked for that.
import { isoTime } from "../base/iso-time.ts";
import { CAPABILITIES } from "../config/capabilities.ts";
import type { BacklogView, ControllerView } from "../schema/controller.ts";
import type { OutboxKind } from "../store/outbox-store.ts";
import type { NetworkContext } from "./network-context.ts";
import type { OwnController } from "./own-controller.ts";

export function controllerView(net: NetworkContext): ControllerView {
  const { config, stores, pace, now } = net;
  const check = stores.memory.lastCheck();
  const { limit, lately, waiting, heldUntil } = pace.state();
  return {
    kind: config.controller.kind,
    capabilities: CAPABILITIES[config.controller.kind],
    url: config.controller.kind === "own" ? null : config.controller.url,
    own: net.own === undefined ? null : hostedView(net, net.own),
    network: config.networkId,
    checkedAt: isoTime(check?.at ?? null),
    unreachable: check?.unreachable
      ? { at: new Date(check.unreachable.at).toISOString(), fault: check.unreachable.text }
      : null,
    calls: { limit, lately, waiting, heldUntil: isoTime(future(heldUntil, now())) },
    routes: { ours: stores.routes.owned().size, limit: config.routeLimit },
    outbox: {
      member: backlogOf(net, "member"),
      routes: backlogOf(net, "routes"),
      copy: backlogOf(net, "copy"),
    },
  };
}

/** Which node hosts the controller, and which others may. */
function hostedView({ stores }: NetworkContext, own: OwnController): ControllerView["own"] {
  const turn = own.turn();
  const candidates = stores.memory.controllerCandidates();
  if (turn === undefined) return { turn: null, candidates };
  const { number, node, since, isWhole, askedAt } = turn;
  return {
    turn: {
      number,
      node,
      name: stores.nodes.get(node)?.name ?? null,
      since: new Date(since).toISOString(),
      askedAt: isoTime(askedAt),
      whole: isWhole,
    },
    candidates,
  };
}

function backlogOf({ stores: { outbox }, now }: NetworkContext, kind: OutboxKind): BacklogView {
  const { waiting, oldestAt, failing, fault } = outbox.backlog(kind);
  const heldUntil = isoTime(future(outbox.held(kind)?.until, now()));
  return { waiting, oldestAt: isoTime(oldestAt), failing, fault, heldUntil };
}

/** The time, where it has not come yet. */
function future(at: number | undefined, now: number): number | null {
  return at !== undefined && at > now ? at : null;
}
