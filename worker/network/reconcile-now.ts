// The hourly run, when the operator wants it; but for the end of leases by time, which it leaves to that.
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { ControllerError } from "../controller/controller.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import { type Difference, findDifference } from "../reconcile/difference.ts";
import { reconcile } from "../reconcile/reconcile.ts";
import type { DifferenceView } from "../schema/difference.ts";
import type { NetworkContext } from "./network-context.ts";

/** What is otherwise at the controller than it should be; unless it is a dry run, it is repaired, by the alarm that follows at once. */
export async function reconcileNow(
  net: NetworkContext,
  dryRun: boolean,
): Promise<Result<DifferenceView, Refusal>> {
  const { stores, now } = net;
  try {
    if (dryRun) return ok(viewOf(await findDifference(net), dryRun));
    const found = await reconcile(net, { endsLeases: false });
    if (!found.ok) return err(controllerRefusal(found.error, now()));
    stores.transaction(() => {
      for (const { node } of found.value.members)
        if (stores.outbox.get("member", node.node) !== undefined)
          stores.outbox.put("member", node.node, now(), now());
    });
    return ok(viewOf(found.value, dryRun));
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    return err(controllerRefusal(error, now()));
  }
}

function viewOf({ settings, faults, members, unread, routes }: Difference, dryRun: boolean): DifferenceView {
  return {
    dryRun,
    settings: [...settings],
    faults: [...faults],
    members: members.map(({ node, difference }) => ({
      node: node.node,
      name: node.name,
      slot: node.slot,
      difference,
    })),
    unread: [...unread],
    routes: { missing: [...routes.missing], leftOver: [...routes.leftOver] },
  };
}
