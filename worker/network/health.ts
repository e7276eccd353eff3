import type { ObjectHealth } from "../schema/health.ts";
import type { OutboxStore } from "../store/outbox-store.ts";
import type { NetworkContext } from "./network-context.ts";

/** Failures before a delivery is worth a warning: after one it is tried again. */
const KEEPS_FAILING = 3;

const MEMBERS_WAIT =
  "the ZeroTier controller has not taken every member: it does not answer, refuses the token, or limits the rate; the Worker's log (delivery-failed) says which. The Worker tries again on its own";

const ROUTES_WAIT =
  "the managed routes are not up to date: the ZeroTier controller does not accept them. Servers need none, other members (a laptop) do; the Worker's log (delivery-failed) says why. The Worker tries again on its own";
const COPIES_WAIT =
  "copies of leases in Workers KV (LEASES) are not up to date: KV does not accept them, perhaps because the day's writes are used up; the Worker's log (delivery-failed) says why. The Worker tries again on its own";

/** How the object and its network are, from what is stored: nobody is asked. */
export function health({ stores, poolFault }: NetworkContext): ObjectHealth {
  const fitness = stores.memory.fitness();
  const check = stores.memory.lastCheck();
  const unreachable =
    check === undefined || check.unreachable === null ? [] : [unreachableAt(check.at, check.unreachable)];
  const faults = [...((fitness ?? check)?.faults ?? [])];
  const warnings = [
    // A kept pool keeps no server out.
    ...(poolFault === undefined ? [] : [poolFault]),
    ...undelivered(stores.outbox),
    // No fault once the network was read: whether a server still gets in shows when one comes.
    ...(fitness === undefined ? [] : unreachable),
  ];
  if (faults.length > 0) return { status: "unfit", faults, warnings };
  if (fitness === undefined && unreachable.length > 0)
    return { status: "waiting", faults: unreachable, warnings };
  if (stores.outbox.countFailing("member", 1) > 0)
    return { status: "waiting", faults: [MEMBERS_WAIT], warnings };
  return { status: "ok", faults: [], warnings };
}

function unreachableAt(at: number, fault: string): string {
  return `${fault} (so it was at ${new Date(at).toISOString()}; checked again every hour, and when a server enrols)`;
}

function undelivered(outbox: OutboxStore): string[] {
  const warnings: string[] = [];
  if (outbox.countFailing("routes", KEEPS_FAILING) > 0) warnings.push(ROUTES_WAIT);
  if (outbox.countFailing("copy", KEEPS_FAILING) > 0) warnings.push(COPIES_WAIT);
  return warnings;
}
