import { z } from "zod";
import { LIMITS } from "../config/limits.ts";
import { isNodeId } from "../lease/ids.ts";
import { defaultLeaseTimes } from "../lease/lease-times.ts";
import type { Found, Probes, ProbeTarget } from "../schema/reach.ts";
import type { NodeStore } from "../store/node-store.ts";
import { isUntold, type StoredNode } from "../store/stored-node.ts";

const family = z
  .object({
    answers: z.boolean(),
    rttMs: z.number().nullable(),
    loss: z.number(),
    mtu: z.number().nullable(),
  })
  .nullable();

const found: z.ZodType<Found> = z.object({
  to: z.string().refine(isNodeId),
  ipv4: family,
  ipv6: family,
  path: z.enum(["direct", "relayed"]).nullable(),
});

/** What is kept of a node's probes. Times in ms since 1970. */
const keptSchema = z.object({
  fault: z.enum(["no-ping", "no-gateway"]).nullable(),
  pairs: z.array(found),
  /** When it probed; null: never yet. */
  at: z.number().nullable(),
  /** When it was told whom to probe next, and between which slots these are: behind `begin`, up to `through`. */
  toldAt: z.number(),
  begin: z.number(),
  through: z.number(),
  /** Whether somebody did not answer, by at least one family: an index finds these. */
  isUnanswered: z.boolean(),
});

type KeptProbes = z.output<typeof keptSchema>;

/** What is kept of a node's probes; undefined: it does not probe, or another version of the Worker kept them. */
export function keptProbes({ probes }: Pick<StoredNode, "probes">): KeptProbes | undefined {
  return probes === null ? undefined : keptSchema.safeParse(JSON.parse(probes)).data;
}

/** Whether no packet came back by a family that was probed. */
export function isUnanswered({ ipv4, ipv6 }: Pick<Found, "ipv4" | "ipv6">): boolean {
  return ipv4?.answers === false || ipv6?.answers === false;
}

/** What is to be known of another node. */
type Beside = Pick<StoredNode, "node" | "slot" | "state" | "seenAt" | "deliveredAt">;

/** What to keep of a node's probes, as JSON, and whom it is to probe next. */
export interface Taken {
  readonly kept: string | null;
  /** undefined: it does not probe. */
  readonly probe: ProbeTarget[] | undefined;
  /** Whether what is kept says otherwise than before who does not answer: see {@link isShownOtherwise}. */
  readonly isNews: boolean;
}

/**
 * Takes what a node tells of its probes. The slots are a ring, in which it goes on behind those that it was told the last time: all others
 * in turn, however many there are, without anything that grows with them. Who did not answer is probed again each time.
 */
export function takeProbes(
  nodes: NodeStore,
  asking: StoredNode,
  told: Probes | undefined,
  now: number,
): Taken {
  const before = keptProbes(asking);
  if (told === undefined) return { kept: null, probe: undefined, isNews: before !== undefined };
  const isNew = told.secondsAgo !== undefined;
  const at = told.secondsAgo === undefined ? (before?.at ?? null) : now - told.secondsAgo * 1000;
  const pairs = isNew ? ofOthers(told.pairs, asking.node) : (before?.pairs ?? []);
  // Reports in between tell the same probes again, and turn nothing.
  const isDone = before !== undefined && at !== null && at >= before.toldAt;
  const begin = before === undefined ? asking.slot : isDone ? before.through : before.begin;
  const isAsked = (node: Beside): boolean => node.node !== asking.node && isHeard(node, now);
  const looked = asking.state === "active" ? lookThrough(nodes, begin) : [];
  const next = looked.filter(isAsked);
  const again = asking.state === "active" ? stillUnanswered(nodes, pairs, next).filter(isAsked) : [];
  const kept: KeptProbes = {
    ...{ fault: told.fault, pairs, at, begin },
    toldAt: before === undefined || isDone ? now : before.toldAt,
    through: looked.at(-1)?.slot ?? begin,
    isUnanswered: pairs.some(isUnanswered),
  };
  return {
    kept: JSON.stringify(kept),
    probe: [...again, ...next].map(({ slot, node }) => ({ slot, node })),
    isNews: before === undefined || isShownOtherwise(before, kept),
  };
}

/** What it found of each other one, once: its word counts as that of one server. */
function ofOthers(pairs: readonly Found[], self: string): Found[] {
  const found = new Map<string, Found>();
  for (const pair of pairs) if (pair.to !== self && !found.has(pair.to)) found.set(pair.to, pair);
  return [...found.values()];
}

/** What is shown of probes, but for round trips. */
type ShownProbes = Pick<KeptProbes, "fault" | "at"> & {
  readonly pairs: readonly Found[];
};

/** Whether the later probes say otherwise than those before who does not answer, or how many were probed. Of those that answer, who they are, by which way and how well is no news. */
export function isShownOtherwise(before: ShownProbes, later: ShownProbes): boolean {
  return (
    before.fault !== later.fault ||
    (before.at === null) !== (later.at === null) ||
    before.pairs.length !== later.pairs.length ||
    silenceIn(before.pairs) !== silenceIn(later.pairs)
  );
}

/** Who does not answer, and by which family. */
function silenceIn(pairs: readonly Found[]): string {
  return pairs
    .filter(isUnanswered)
    .map(({ to, ipv4, ipv6, path }) => [to, ipv4?.answers, ipv6?.answers, path].join(" "))
    .sort()
    .join();
}

/** The nodes of the slots behind that one, and on from the first when there are no more; each once. */
function lookThrough(nodes: NodeStore, begin: number): Beside[] {
  const behind = nodes.behind(begin, LIMITS.probes);
  const rest = nodes.behind(0, LIMITS.probes - behind.length).filter(({ slot }) => slot <= begin);
  return [...behind, ...rest];
}

function stillUnanswered(nodes: NodeStore, pairs: readonly Found[], others: readonly Beside[]): StoredNode[] {
  const unanswered = pairs.filter(
    (pair) => isUnanswered(pair) && others.every(({ node }) => node !== pair.to),
  );
  return unanswered.slice(0, LIMITS.probesAgain).flatMap(({ to }) => nodes.get(to) ?? []);
}

/** Whether it is in the mesh, and by what is known it runs: nobody waits for one that does not. */
export function isHeard(node: Beside, now: number): boolean {
  return node.state === "active" && !isUntold(node) && now - node.seenAt < defaultLeaseTimes.offlineAfter;
}
