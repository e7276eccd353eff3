// The way of one enrolment through the object, in the order of its cost and of what a caller may learn: key,
// address, network, lease, controller, token. Whoever has no good key learns nothing about leases.
import type { Refusal } from "../base/problem.ts";
import { makeSecret, sha256Hex } from "../base/secret.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import { parseIdentity } from "../identity/identity.ts";
import type { NodeId } from "../lease/ids.ts";
import { queueCopy } from "../outbox/queue.ts";
import type { StoredNode } from "../store/node-store.ts";
import { type EnrolRequest, enrol, refuseKey } from "./enrolment.ts";
import { type LeaseView, leaseView } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { withNewToken } from "./node-token.ts";
import { type Peer, peersOf } from "./peers.ts";

/** The lease with the node's new token, or why there is none. A node that waits for approval gets a token once. */
export type EnrolAnswer =
  | {
      readonly ok: true;
      readonly lease: LeaseView;
      readonly peers: Peer[];
      readonly token: string | undefined;
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** Lets a node in whose signature was checked; the lease stays also when the controller could not be told yet. */
export async function enrolNode(net: NetworkContext, request: EnrolRequest): Promise<EnrolAnswer> {
  const { stores, config, outbox, now } = net;
  const refusal = refuseKey(stores, request.keyHash, request.node, now());
  if (refusal !== undefined) return { ok: false, refusal };
  if (!(await isGenuine(net, request)))
    return {
      ok: false,
      refusal: {
        problem: "wrong-address",
        detail: `the node id ${request.node} does not follow from the public key; send the content of identity.public unchanged`,
      },
    };
  if (stores.nodes.get(request.node) === undefined) {
    const notReady = await net.readiness.refusal();
    if (notReady !== undefined) return { ok: false, refusal: notReady };
  }
  const outcome = enrol(stores, config, request, now());
  if (!outcome.ok) return outcome;
  const delivered = await outbox.deliver("member", request.node);
  if (!delivered.ok)
    return { ok: false, refusal: controllerRefusal(delivered.error, now(), delivered.attempts) };
  const { node, token } = await handOut(net, request.node);
  // While the controller was asked, the operator deleted the node or took it out: that counts.
  if (node === undefined || node.state === "revoked") return enrolNode(net, request);
  return { ok: true, lease: leaseView(config, node, now()), peers: peersOf(net, node), token };
}

/**
 * Gives the node a token. Not before the answer is sure, and to one that waits for approval only when it has none: a
 * server that asks again and again, while the controller is away or nobody approves, must not write to KV each time.
 */
async function handOut(
  { stores, randomBytes, now }: NetworkContext,
  id: NodeId,
): Promise<{ node: StoredNode | undefined; token: string | undefined }> {
  const token = makeSecret("mbn", randomBytes);
  const hash = await sha256Hex(token);
  return stores.transaction(() => {
    const node = stores.nodes.get(id);
    const isDue = node?.state === "active" || (node?.state === "pending" && node.tokenHashes.length === 0);
    if (node === undefined || !isDue) return { node, token: undefined };
    const changed = withNewToken(node, hash);
    stores.nodes.put(changed);
    queueCopy(stores, id, now());
    return { node: changed, token };
  });
}

/** Whether the node id follows from the key. It takes 28 ms, so it is not done again for an identity that is known. */
async function isGenuine({ stores, deriveNodeId }: NetworkContext, request: EnrolRequest): Promise<boolean> {
  if (stores.nodes.get(request.node)?.identity === request.identity) return true;
  const identity = parseIdentity(request.identity);
  return identity !== undefined && (await deriveNodeId(identity.publicKey)) === request.node;
}
