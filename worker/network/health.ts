import { CAPABILITIES } from "../config/capabilities.ts";
import type { ControllerFault } from "../controller/controller.ts";
import type { HealthNote, ObjectHealth } from "../schema/health.ts";
import type { FailedLook } from "../store/memory-store.ts";
import type { OutboxStore } from "../store/outbox-store.ts";
import { countNodes } from "./list-nodes.ts";
import type { NetworkContext } from "./network-context.ts";

/** Failures before a delivery is worth a warning: after one it is tried again. */
const KEEPS_FAILING = 3;

const MEMBERS_WAIT =
  "the ZeroTier controller has not taken every member: it does not answer, refuses the token, or limits the rate; the Worker's log (delivery-failed) says which. The Worker tries again on its own";

const NO_HOST =
  "no server hosts the controller of the mesh yet: the first one that comes in does. Order it with user-data of this Worker";

const ROUTES_WAIT =
  "the managed routes are not up to date: the ZeroTier controller does not accept them. Servers need none, other members (a laptop) do; the Worker's log (delivery-failed) says why. The Worker tries again on its own";
const COPIES_WAIT =
  "copies of leases in Workers KV (LEASES) are not up to date: KV does not accept them; the Worker's log (delivery-failed) says why. The Worker tries again on its own";
const COPIES_USED_UP =
  "copies of leases in Workers KV (LEASES) are not up to date: the day's writes of KV are used up (1,000 on Cloudflare's free plan). They are back at midnight UTC, and the Worker goes on by itself then. No server is kept out by it";

/** What everybody may read of a failed look at the controller. What a proxy before it said, its address and the network stay out. */
const OPEN: Readonly<Record<ControllerFault, string>> = {
  unauthorized:
    "the ZeroTier controller refuses the token (ZEROTIER_TOKEN), or the token's account has no right to the network (ZEROTIER_NETWORK)",
  "rate-limited":
    "the ZeroTier controller's rate limit is reached; if it lasts, something else uses the same token",
  "not-found":
    "the ZeroTier controller has no such network: check ZEROTIER_NETWORK, ZEROTIER_URL, and that ZEROTIER_TOKEN belongs to the account that owns the network",
  timeout: "the ZeroTier controller does not answer in time",
  unreachable: "the ZeroTier controller cannot be reached; check ZEROTIER_URL if it lasts",
  "server-error": "the ZeroTier controller has an error of its own",
  rejected: "the ZeroTier controller does not take what the Worker asks",
  "bad-answer": "what answers for the ZeroTier controller is not its API: check ZEROTIER_URL",
};

/** How the object and its network are, from what is stored: nobody is asked. */
export function health(net: NetworkContext, forOperator: boolean): ObjectHealth {
  const found = conditionOf(net);
  if (!forOperator) return found;
  const { kind } = net.config.controller;
  return { ...found, nodes: countNodes(net), controller: { kind, capabilities: CAPABILITIES[kind] } };
}

function conditionOf({ stores, own, poolFault }: NetworkContext): ObjectHealth {
  // There is nothing yet that could be reached, and the first server waits for nothing.
  if (own !== undefined && own.turn() === undefined)
    return { status: "ok", faults: [], warnings: [plain(NO_HOST)] };
  const fitness = stores.memory.fitness();
  const check = stores.memory.lastCheck();
  const unreachable = check?.unreachable ? [unreachableNote(check.unreachable)] : [];
  const faults = ((fitness ?? check)?.faults ?? []).map(withoutDetails);
  const warnings = [
    // A kept pool keeps no server out.
    ...(poolFault === undefined ? [] : [withoutDetails(poolFault)]),
    ...undelivered(stores.outbox),
    // No fault once the network was read: whether a server still gets in shows when one comes.
    ...(fitness === undefined ? [] : unreachable),
  ];
  if (faults.length > 0) return { status: "unfit", faults, warnings };
  if (fitness === undefined && unreachable.length > 0)
    return { status: "waiting", faults: unreachable, warnings };
  if (stores.outbox.hasFailing("member", 1))
    return { status: "waiting", faults: [plain(MEMBERS_WAIT)], warnings };
  return { status: "ok", faults: [], warnings };
}

function unreachableNote({ at, reason, text }: FailedLook): HealthNote {
  const when = `(so it was at ${new Date(at).toISOString()}; checked again every hour, and when a server enrols)`;
  const open = reason === undefined ? "the ZeroTier controller could not be read" : OPEN[reason];
  return { open: `${open} ${when}`, full: `${text} ${when}` };
}

function undelivered(outbox: OutboxStore): HealthNote[] {
  const warnings: HealthNote[] = [];
  if (outbox.hasFailing("routes", KEEPS_FAILING)) warnings.push(plain(ROUTES_WAIT));
  const held = outbox.held("copy");
  if (held?.usedUp) warnings.push(plain(COPIES_USED_UP));
  else if ((held?.failures ?? 0) >= KEEPS_FAILING || outbox.hasFailing("copy", KEEPS_FAILING))
    warnings.push(plain(COPIES_WAIT));
  return warnings;
}

function plain(text: string): HealthNote {
  return { open: text, full: text };
}

/** For everybody without addresses and ranges, nor how many servers there are. */
function withoutDetails(full: string): HealthNote {
  const open = full
    .replace(/\b\d{1,3}(\.\d{1,3}){3}(\/\d{1,3})?/g, "…")
    .replace(/[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*(\/\d{1,3})?/gi, "…")
    .replace(/\b\d+(?= (lease|slot)\(s\))/g, "some");
  return { open, full };
}
