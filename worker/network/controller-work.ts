import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { NetworkContext } from "./network-context.ts";
import { authorize } from "./node-access.ts";
import type { Work, WorkAsk } from "./own-controller.ts";

/** Who asks for work at the controller, and what it says. */
export interface WorkCall extends WorkAsk {
  readonly node: string;
  /** SHA-256 of the node's token. */
  readonly tokenHash: string;
}

/** A node asks what there is to do at the controller that it hosts, and says what it has done. One that was taken out hosts none. */
export async function controllerWork(
  net: NetworkContext,
  { node, tokenHash, ...ask }: WorkCall,
): Promise<Result<Work, Refusal>> {
  const { stores, own, now } = net;
  const known = stores.transaction(() => authorize(stores, node, { admin: false, tokenHash }, now()));
  if (!known.ok) return known;
  if (known.value.state === "revoked") return err({ problem: "revoked", reason: "taken-out", node });
  if (own === undefined) return err({ problem: "not-found", missing: { what: "own-controller", id: node } });
  return ok(await own.ask(node, ask));
}
