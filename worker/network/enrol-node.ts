// The way of one enrolment through the object, in the order of its cost and of what a caller may learn: key,
// address, network, lease, controller, token. Whoever has no good key learns nothing about leases.
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { makeSecret, sha256Hex } from "../base/secret.ts";
import type { NodeId } from "../lease/ids.ts";
import { queueCopy } from "../outbox/queue.ts";
import type { LeaseView, Peer } from "../schema/lease.ts";
import { isUntold, type StoredNode } from "../store/stored-node.ts";
import { admit, type EnrolRequest, leaseTo } from "./enrolment.ts";
import { leaseView } from "./lease-view.ts";
import { lookFirst } from "./look-first.ts";
import type { NetworkContext } from "./network-context.ts";
import { withNewToken } from "./node-token.ts";
import { peersOf } from "./peers.ts";
import { tellController } from "./tell-controller.ts";

/** A lease, and the node's new token. A node that waits for approval gets a token once. */
export interface Enrolled {
  readonly lease: LeaseView;
  readonly peers: Peer[];
  readonly token: string | undefined;
  /** Its part with a controller of the mesh's own. */
  readonly controller: "yours" | "candidate" | undefined;
  /** Whether the controller has to let it in yet, which it is to host itself. */
  readonly isHostToBe: boolean;
}

/** How often an enrolment is tried, when the node is changed meanwhile. Even once is rare. */
const TRIES = 3;

/** Lets a node in whose signature was checked; the lease stays even when the controller could not be told yet. */
export async function enrolNode(
  net: NetworkContext,
  request: EnrolRequest,
): Promise<Result<Enrolled, Refusal>> {
  let enrolled = await tryEnrol(net, request);
  for (let tries = 1; tries < TRIES && isOvertaken(enrolled); tries++)
    enrolled = await tryEnrol(net, request);
  return enrolled;
}

function isOvertaken(enrolled: Result<Enrolled, Refusal>): boolean {
  return !enrolled.ok && enrolled.error.problem === "changed-meanwhile";
}

/** One try; refused as `changed-meanwhile` when the node was deleted or taken out while the controller was asked. */
async function tryEnrol(net: NetworkContext, request: EnrolRequest): Promise<Result<Enrolled, Refusal>> {
  const { stores, config, now } = net;
  const admitted = admit(stores, request, now());
  if (!admitted.ok) return admitted;
  const proven = await proveAddress(net, request);
  if (!proven.ok) return proven;
  net.own?.expect();
  const isFirst = net.own !== undefined && net.own.turn() === undefined && !admitted.value.approval;
  // Not read before: while the id was derived, the node may have been deleted, and its lease would be a new one.
  const notReady = isFirst ? undefined : await lookFirst(net, request.node);
  if (notReady !== undefined) return err(notReady);
  const tooOften = refuseReturn(net, request.node);
  if (tooOften !== undefined) return err(tooOften);
  const leased = leaseTo(stores, config, request, now());
  if (!leased.ok) return leased;
  if (isFirst) makeHost(net, request.node);
  const told = await tellController(net, request.node);
  const isHostToBe = !told.ok && net.own?.isTurnOf(request.node) === true;
  if (!told.ok && !isHostToBe) return told;
  const { node, token } = await handOut(net, request.node, isHostToBe);
  if (node === undefined || node.state === "revoked" || (isUntold(node) && !isHostToBe))
    return err({ problem: "changed-meanwhile" });
  const controller = net.own?.roleOf(node.node);
  return ok({
    lease: leaseView(config, node, now()),
    peers: peersOf(net, node),
    token,
    controller,
    isHostToBe,
  });
}

/** The first server of a mesh hosts its controller, unless another one came first. */
function makeHost({ stores, own }: NetworkContext, node: NodeId): void {
  stores.transaction(() => {
    if (own !== undefined && own.turn() === undefined)
      own.give(node, { by: { who: "node", id: node }, why: "first-server" });
  });
}

/** Counts that a node comes back which left; refused when it does so again and again. */
function refuseReturn({ stores, returns, now }: NetworkContext, node: NodeId): Refusal | undefined {
  if (stores.nodes.get(node) !== undefined || stores.slots.formerOf(node).length === 0) return undefined;
  const waitMs = returns.take(node, now());
  return waitMs === undefined
    ? undefined
    : { problem: "too-many-requests", by: "returning-node", retryAfter: Math.ceil(waitMs / 1000) };
}

/**
 * Gives the node a token. Not before the answer is sure, and to one that waits for approval only when it has none: a
 * server that asks again and again, while the controller is away or nobody approves, must not write to KV each time.
 */
async function handOut(
  { stores, randomBytes, now }: NetworkContext,
  id: NodeId,
  isHostToBe: boolean,
): Promise<{ node: StoredNode | undefined; token: string | undefined }> {
  const token = makeSecret("mbn", randomBytes);
  const hash = await sha256Hex(token);
  return stores.transaction(() => {
    const node = stores.nodes.get(id);
    const isDue =
      (node?.state === "active" && (node.deliveredAt !== null || isHostToBe)) ||
      (node?.state === "pending" && node.tokenHashes.length === 0);
    if (node === undefined || !isDue) return { node, token: undefined };
    const changed = withNewToken(node, hash);
    stores.nodes.put(changed);
    queueCopy(stores, id, now());
    return { node: changed, token };
  });
}

/** Whether the node id follows from the key. It takes 28 ms, so it is not done again for an identity that is known. */
async function proveAddress(
  { stores, deriveNodeId }: NetworkContext,
  { node, identity, publicKey }: EnrolRequest,
): Promise<Result<true, Refusal>> {
  if (stores.nodes.get(node)?.identity === identity) return ok(true);
  const derived = await deriveNodeId(publicKey);
  if (!derived.ok) return err({ problem: "busy", retryAfter: Math.ceil(derived.error.waitMs / 1000) });
  return derived.value === node ? ok(true) : err({ problem: "wrong-address", reason: "not-derived", node });
}
