// The way of one enrolment through the object, in the order of its cost and of what a caller may learn: key,
// address, network, lease, controller. Whoever has no good key learns nothing about leases.
import type { Refusal } from "../http/problem.ts";
import { makeSecret, sha256Hex } from "../http/secret.ts";
import { deriveNodeId } from "../identity/address.ts";
import { parseIdentity } from "../identity/identity.ts";
import { controllerRefusal } from "./controller-refusal.ts";
import { type EnrolRequest, enrol, refuseKey } from "./enrolment.ts";
import { type LeaseView, leaseView } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";

/** The lease with the node's new token, or why there is none. */
export type EnrolAnswer =
  | { readonly ok: true; readonly lease: LeaseView; readonly token: string }
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
  const token = makeSecret("mbn", net.randomBytes);
  const outcome = enrol(stores, config, request, await sha256Hex(token), now());
  if (!outcome.ok) return outcome;
  const delivered = await outbox.deliver("member", request.node);
  if (!delivered.ok) return { ok: false, refusal: controllerRefusal(delivered.error, now()) };
  const node = stores.nodes.get(request.node) ?? outcome.node;
  return { ok: true, lease: leaseView(config, node, now()), token };
}

/** Whether the node id follows from the key. It takes 28 ms, so it is not done again for an identity that is known. */
async function isGenuine({ stores }: NetworkContext, request: EnrolRequest): Promise<boolean> {
  if (stores.nodes.get(request.node)?.identity === request.identity) return true;
  const identity = parseIdentity(request.identity);
  return identity !== undefined && (await deriveNodeId(identity.publicKey)) === request.node;
}
