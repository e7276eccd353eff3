import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Operator } from "../lease/deed.ts";
import type { ControllerView } from "../schema/controller.ts";
import { controllerView } from "./controller-view.ts";
import type { NetworkContext } from "./network-context.ts";

/** The node hosts the controller from now on. Whoever does it now stops when it asks; should it never ask again, it is gone. */
export function moveController(
  net: NetworkContext,
  node: string,
  by: Operator,
): Result<ControllerView, Refusal> {
  const host = hostOf(net, node);
  if (!host.ok) return host;
  const { stores, own } = net;
  if (own === undefined) return err({ problem: "not-found", missing: { what: "own-controller", id: node } });
  stores.transaction(() => {
    own.give(node, { by });
    const others = stores.memory.controllerCandidates().filter((other) => other !== node);
    stores.memory.setControllerCandidates(others);
  });
  return ok(controllerView(net));
}

/** Which nodes may come to host it: they ask every minute, so that a move takes no longer. */
export function nameCandidates(
  net: NetworkContext,
  nodes: readonly string[],
): Result<ControllerView, Refusal> {
  for (const node of nodes) {
    const host = hostOf(net, node);
    if (!host.ok) return host;
  }
  const { stores, own } = net;
  stores.transaction(() =>
    stores.memory.setControllerCandidates([...new Set(nodes)].filter((node) => own?.isTurnOf(node) !== true)),
  );
  return ok(controllerView(net));
}

/** Whether the node is one that can host a controller: in the mesh, and with an agent that asks. */
function hostOf({ stores, own }: NetworkContext, node: string): Result<true, Refusal> {
  if (own === undefined) return err({ problem: "not-found", missing: { what: "own-controller", id: node } });
  const lease = stores.nodes.get(node);
  if (lease === undefined) return err({ problem: "not-found", missing: { what: "node", id: node } });
  return lease.state === "active" && lease.tokenHashes.length > 0
    ? ok(true)
    : err({ problem: "cannot-host", node, name: lease.name });
}
