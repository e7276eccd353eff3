// One thing done with each of many nodes: each in a transaction of its own, so that one that cannot be changed keeps no other back.
import type { Refusal } from "../base/refusal.ts";
import { LIMITS } from "../config/limits.ts";
import type { Operator } from "../lease/deed.ts";
import type { NodeId } from "../lease/ids.ts";
import type { EndingView } from "../schema/ending.ts";
import type { ChangedNode, WantedNodeChanges } from "../schema/node-changes.ts";
import type { StoredNode } from "../store/stored-node.ts";
import { changeLease, takenOut } from "./change-lease.ts";
import { shownState } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { endingOf, retire } from "./node-endings.ts";
import { deleteForGood, isDelivered, letIn, retag } from "./node-operations.ts";

/**
 * Does it, or with `dryRun` says what it would do. The controller hears of as many as one call may tell it; the alarm sees to the
 * rest.
 */
export async function changeNodes(
  net: NetworkContext,
  wanted: WantedNodeChanges,
  dryRun: boolean,
  by: Operator,
): Promise<ChangedNode[]> {
  const { stores, outbox } = net;
  const changed = wanted.nodes.map((node) =>
    stores.transaction(() => {
      const known = stores.nodes.get(node);
      const refusal = refusalOf(node, known, wanted);
      const ending = known === undefined || refusal !== null ? null : previewOf(net, known, wanted, dryRun);
      if (known !== undefined && refusal === null && !dryRun) apply(net, known, wanted, by);
      return { ...shown(net, node, known), ending, refusal };
    }),
  );
  if (!dryRun)
    await outbox.hurry(
      "member",
      changed.filter(({ refusal }) => refusal === null).map(({ node }) => node),
    );
  return changed.map((one) => ({
    ...one,
    delivered: isDelivered(stores, one.node, stores.nodes.get(one.node)),
  }));
}

function refusalOf(
  node: NodeId,
  known: StoredNode | undefined,
  { change, ...wanted }: WantedNodeChanges,
): Refusal | null {
  if (known === undefined) return { problem: "not-found", missing: { what: "node", id: node } };
  const count = change === "tag" ? tagsAfter(known, wanted).length : 0;
  if (count <= LIMITS.tags) return null;
  const fault = `addTags: ${known.name} would have ${count} tags, and ${LIMITS.tags} is the most; take others away (removeTags)`;
  return { problem: "bad-request", faults: [fault] };
}

/** What breaks, of a change that ends the lease. */
function previewOf(
  net: NetworkContext,
  known: StoredNode,
  { change }: WantedNodeChanges,
  dryRun: boolean,
): EndingView | null {
  switch (change) {
    case "retire":
      return endingOf(net, known, "retired", dryRun);
    case "delete":
      return endingOf(net, known, "deleted", dryRun);
    default:
      return null;
  }
}

/** Within a transaction. */
function apply(
  net: NetworkContext,
  known: StoredNode,
  { change, ...wanted }: WantedNodeChanges,
  by: Operator,
): void {
  const { stores } = net;
  const now = net.now();
  switch (change) {
    case "approve":
      changeLease(stores, known, letIn(net, known), now, { by, action: "approved" });
      break;
    case "revoke":
      changeLease(stores, known, takenOut(known), now, { by, action: "revoked" });
      break;
    case "retire":
      retire(stores, known, now, by);
      break;
    case "delete":
      deleteForGood(stores, known, now, by);
      break;
    case "tag":
      retag(stores, known, tagsAfter(known, wanted), now, by);
  }
}

function tagsAfter(
  { tags }: StoredNode,
  { addTags, removeTags }: Pick<WantedNodeChanges, "addTags" | "removeTags">,
): string[] {
  return [...new Set([...tags, ...addTags])].filter((tag) => !removeTags.includes(tag)).sort();
}

/** The node as it is now; `before`: what was known of it, if anything. */
function shown({ stores, now }: NetworkContext, node: NodeId, before: StoredNode | undefined) {
  const after = stores.nodes.get(node);
  return {
    ...{ node, name: before?.name ?? null, tags: [...((after ?? before)?.tags ?? [])] },
    state: after === undefined ? null : shownState(after, now()),
  };
}
