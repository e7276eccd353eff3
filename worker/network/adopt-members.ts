// Members of a network that was built by hand become leases: first listed, then, if that is still what is there, done.
import { canonicalJson } from "../base/canonical-json.ts";
import { errorText } from "../base/log.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { sha256Hex } from "../base/secret.ts";
import { ControllerError } from "../controller/controller.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import { fit as compare } from "../controller/fit.ts";
import type { Operator } from "../lease/deed.ts";
import type { NodeId } from "../lease/ids.ts";
import { adopt, isOvertaken } from "../reconcile/adopt.ts";
import { type AdoptionPlan, planAdoption, type SeenNetwork } from "../reconcile/adoption-plan.ts";
import { justRestored } from "../reconcile/just-restored.ts";
import { makeFit } from "../reconcile/make-fit.ts";
import { readMembers } from "../reconcile/read-members.ts";
import { readNetwork } from "../reconcile/read-network.ts";
import type { AdoptionView } from "../schema/adoption.ts";
import { adoptionView } from "./adoption-view.ts";
import type { NetworkContext } from "./network-context.ts";

/** What the operator wants. */
export interface WantedAdoption {
  /** Only these; undefined: all that can be adopted. */
  readonly nodes: readonly NodeId[] | undefined;
  /** The plan that a dry run gave, all of which is to be done; undefined: it is only to be listed. */
  readonly plan: string | undefined;
}

/**
 * Lists what adopting would do; with the plan of such a list does it, all at once, or refuses as `plan-outdated` when it would be anything else by
 * now.
 */
export async function adoptMembers(
  net: NetworkContext,
  { nodes, plan: wanted }: WantedAdoption,
  by: Operator,
): Promise<Result<AdoptionView, Refusal>> {
  const { stores, config, now } = net;
  const restored = justRestored(stores, now());
  if (restored !== undefined && wanted !== undefined) return err(restored);
  try {
    const seen = await look(net);
    const { faults } = compare(seen.network, config.pool);
    if (faults.length > 0) return err({ problem: "network-unfit", networkId: config.networkId, faults });
    const plan = planAdoption(net, seen, nodes);
    const promised = promiseOf(net, plan);
    const hash = await sha256Hex(promised);
    if (wanted === undefined) return ok({ dryRun: true, plan: hash, ...adoptionView(config, plan) });
    if (wanted !== hash) return err({ problem: "plan-outdated" });
    const isDone = stores.transaction(() => {
      const current = planAdoption(net, seen, nodes);
      if (isOvertaken(net, seen) || promiseOf(net, current) !== promised) return false;
      adopt(net, current, seen, by);
      return true;
    });
    if (!isDone) return err({ problem: "plan-outdated" });
    if (Object.keys(plan.settings).length > 0) await setSettings(net);
    return ok({ dryRun: false, plan: hash, ...adoptionView(config, plan) });
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    return err(controllerRefusal(error, net.now()));
  }
}

async function look(net: NetworkContext): Promise<SeenNetwork> {
  const { network, readAt: networkAt } = await readNetwork(net);
  const { list, readAt: membersAt } = await readMembers(net);
  return { network, networkAt, list, membersAt };
}

/** The leases are made by now: what fails here the hourly run does. */
async function setSettings(net: NetworkContext): Promise<void> {
  try {
    await makeFit(net);
  } catch (error) {
    net.log("network-not-made-fit", { error: errorText(error) });
  }
}

/** All that the plan does, as one text: equal for equal plans. */
function promiseOf(net: NetworkContext, plan: AdoptionPlan): string {
  const { adopted, changes } = adoptionView(net.config, plan);
  return canonicalJson({ network: net.config.networkId, adopted, changes });
}
