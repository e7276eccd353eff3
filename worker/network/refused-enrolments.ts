// Refused enrolments, kept so that the operator finds out why a server does not come in, without a console of it.
import type { ProblemName, Refusal } from "../base/refusal.ts";
import type { Result } from "../base/result.ts";
import { LIMITS } from "../config/limits.ts";
import type { NodeId } from "../lease/ids.ts";
import type { RefusalView } from "../schema/refusals.ts";
import type { RefusalPlace, StoredRefusal } from "../store/refusal-store.ts";
import { type Enrolled, enrolNode } from "./enrol-node.ts";
import type { EnrolRequest } from "./enrolment.ts";
import type { NetworkContext } from "./network-context.ts";

/** An enrolment that was refused, here or before it came here. */
export interface Refused {
  /** SHA-256 of the enrolment key. */
  readonly keyHash: string;
  readonly node: NodeId;
  readonly name: string;
  /** Where it came from, as the Worker saw it. */
  readonly address: string | null;
  readonly refusal: Refusal;
}

/** Problems that pass by themselves: nothing of them is to be found any more once the node is in. */
const PASSING: readonly ProblemName[] = [
  ...([
    "clock-skew",
    "busy",
    "changed-meanwhile",
    "network-unfit",
    "former-holder",
    "just-restored",
  ] as const),
  ...(["controller-unreachable", "controller-unauthorized", "controller-rate-limited"] as const),
];

/** Enrols the node, and keeps it when that is refused. */
export async function enrolOrNote(
  net: NetworkContext,
  request: EnrolRequest,
): Promise<Result<Enrolled, Refusal>> {
  const enrolled = await enrolNode(net, request);
  if (enrolled.ok) net.stores.transaction(() => net.stores.refusals.forget(request.node, PASSING));
  else noteRefusal(net, { ...request, refusal: enrolled.error }, net.stores.keys.byHash(request.keyHash)?.id);
  return enrolled;
}

/** Keeps a refusal of before the object, if the key is one that is known: whoever has none must cost nothing. */
export function noteRefusalBefore(net: NetworkContext, refused: Refused): void {
  const key = net.stores.keys.byHash(refused.keyHash);
  if (key !== undefined) noteRefusal(net, refused, key.id);
}

/** `key`: its id; undefined when it is not known. */
function noteRefusal(
  { stores, log, now, refusalBudget }: NetworkContext,
  { node, name, address, refusal }: Omit<Refused, "keyHash">,
  key: string | undefined,
): void {
  const { problem } = refusal;
  log("enrolment-refused", { problem, key, node, name, address });
  const at = now();
  const same = { node, problem, keyId: key ?? "" };
  const before = stores.refusals.lastAt(same);
  if (before !== undefined && at - before < LIMITS.refusalAgainMs) return;
  const isKnownKey = key !== undefined;
  if (!refusalBudget.take(isKnownKey, at)) return;
  stores.transaction(() => {
    const about = aboutOf(refusal)?.slice(0, LIMITS.refusalCharacters) ?? null;
    stores.refusals.put({ ...same, name, address, about, firstAt: at, lastAt: at });
    if (before === undefined)
      stores.refusals.forgetBeyond(isKnownKey ? LIMITS.refusals : LIMITS.strangersRefusals, isKnownKey);
  });
}

/** What the problem was about in this case, beyond node, name and key. */
function aboutOf(refusal: Refusal): string | undefined {
  switch (refusal.problem) {
    case "overlap":
      return refusal.prefix;
    case "wrong-address":
    case "revoked":
      return refusal.reason;
    case "name-not-allowed":
      return refusal.pattern;
    case "name-taken":
      return refusal.holder;
    case "former-holder":
      return refusal.node;
    case "slot-taken":
      return `slot ${refusal.slot}`;
    case "invalid-signature":
      return refusal.host;
    case "clock-skew":
      return `${Math.round(refusal.timestamp - refusal.now / 1000)} s`;
    case "network-unfit":
      return refusal.faults.join(" ");
    case "controller-unreachable":
    case "controller-unauthorized":
    case "controller-rate-limited":
      return refusal.fault;
    default:
      return undefined;
  }
}

/** A refusal, and its place in the list. */
export interface ListedRefusal {
  readonly view: RefusalView;
  readonly place: RefusalPlace;
}

/** The latest first, at most `limit`, those after the place. */
export function listRefusals(
  { stores }: NetworkContext,
  limit: number,
  after: RefusalPlace | undefined,
): ListedRefusal[] {
  return stores.refusals
    .list(limit, after)
    .map((refusal) => ({ view: viewOf(refusal), place: placeOf(refusal) }));
}

function viewOf({ problem, keyId, node, name, address, about, firstAt, lastAt }: StoredRefusal): RefusalView {
  return {
    problem: `/problems/${problem}`,
    node,
    name,
    key: keyId === "" ? null : keyId,
    address,
    about,
    firstAt: new Date(firstAt).toISOString(),
    lastAt: new Date(lastAt).toISOString(),
  };
}

function placeOf({ lastAt, node, problem, keyId }: StoredRefusal): RefusalPlace {
  return { lastAt, node, problem, keyId };
}
