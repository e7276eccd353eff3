// Who is at fault when probes get no answer.
import { HOUR_MS, MINUTE_MS } from "../base/time-units.ts";
import { LIMITS } from "../config/limits.ts";
import type { Found } from "../schema/reach.ts";
import type { Silence } from "../schema/silence.ts";
import type { Stores } from "../store/stores.ts";
import { isHeard, keptProbes } from "./kept-probes.ts";

/** ms after which a server has let a report go by: it reports hourly, ten minutes late at most. */
const OVERDUE_MS = HOUR_MS + 15 * MINUTE_MS;

const FAMILIES = ["ipv4", "ipv6"] as const;
type Family = (typeof FAMILIES)[number];

/** A server that misses an answer, with what it found when it last probed. */
interface Prober {
  readonly node: string;
  readonly name: string;
  readonly pairs: readonly Found[];
}

/** Who misses a server, by name; by which families, and by which it answered one of them. */
interface Missed {
  readonly by: string[];
  readonly silent: Set<Family>;
  readonly answered: Set<Family>;
}

/**
 * What probes say against servers, those first whom most miss. Who gets no answer by a family from any of several servers of which one
 * is not overdue is taken for the one that is cut off, and its word of that family counts against no other; nor does that of a server
 * that is not heard. Looks at the first so many who miss an answer and no more, however many there are.
 * @param node What is said against that one alone, of which its own probes are looked at in any case.
 */
export function silences(stores: Stores, node: string | undefined, now: number): Silence[] {
  const isOnTime = remembering((id) => {
    const other = stores.nodes.get(id);
    return other?.state === "active" && now - other.seenAt < OVERDUE_MS;
  });
  const cutOff: Silence[] = [];
  const missed = new Map<string, Missed>();
  for (const prober of probers(stores, node, now)) {
    const dead = FAMILIES.filter((family) => isCutOff(prober, family, isOnTime));
    if (dead.length > 0) cutOff.push(silenceOf(prober, dead));
    for (const pair of prober.pairs) count(missed, prober.name, pair, dead);
  }
  for (const { node: id } of cutOff) missed.delete(id);
  const others = [...missed]
    .filter(([id]) => node === undefined || id === node)
    .toSorted(([, one], [, other]) => other.by.length - one.by.length)
    .slice(0, LIMITS.silences)
    .flatMap(([id, found]) => missedBy(stores, id, found));
  return [...cutOff.filter(({ node: id }) => node === undefined || id === node), ...others];
}

/** Those that are heard and whose probes are not of yesterday. */
function probers({ nodes }: Stores, node: string | undefined, now: number): Prober[] {
  const asked = node === undefined ? undefined : nodes.get(node);
  const found = asked === undefined ? [] : [asked];
  let looked = 0;
  for (const each of nodes.inOrder("name", undefined, { kind: "unanswered" })) {
    if (each.node !== node) found.push(each);
    looked += 1;
    if (looked === LIMITS.silences) break;
  }
  return found.flatMap((each) => {
    const kept = isHeard(each, now) ? keptProbes(each) : undefined;
    const at = kept?.at ?? null;
    if (kept === undefined || at === null || now - at >= LIMITS.probesSeconds * 1000) return [];
    return [{ node: each.node, name: each.name, pairs: kept.pairs }];
  });
}

/** Whether it is that server which is cut off by the family: of those that it misses one at least would be missed by the Worker too. */
function isCutOff({ pairs }: Prober, family: Family, isOnTime: (node: string) => boolean): boolean {
  const probed = pairs.filter((pair) => pair[family] !== null);
  return (
    probed.length > 1 &&
    probed.every((pair) => pair[family]?.answers === false) &&
    probed.some(({ to }) => isOnTime(to))
  );
}

function silenceOf({ node, name, pairs }: Prober, dead: readonly Family[]): Silence {
  const probed = FAMILIES.filter((family) => pairs.some((pair) => pair[family] !== null));
  const [family] = dead;
  return {
    ...{ node, name, kind: "cut-off", by: [] },
    family: dead.length === probed.length ? null : (family ?? null),
    servers: pairs.filter((pair) => dead.some((each) => pair[each] !== null)).length,
  };
}

/** Notes that it misses the other one, unless by a family by which it is cut off. */
function count(missed: Map<string, Missed>, name: string, pair: Found, dead: readonly Family[]): void {
  const silent = FAMILIES.filter((family) => pair[family]?.answers === false && !dead.includes(family));
  if (silent.length === 0) return;
  const before = missed.get(pair.to) ?? { by: [], silent: new Set(), answered: new Set() };
  before.by.push(name);
  for (const family of FAMILIES) {
    if (silent.includes(family)) before.silent.add(family);
    if (pair[family]?.answers === true) before.answered.add(family);
  }
  missed.set(pair.to, before);
}

/** Nothing of one that has left. */
function missedBy({ nodes }: Stores, node: string, { by, silent, answered }: Missed): Silence[] {
  const found = nodes.get(node);
  if (found?.state !== "active") return [];
  const [family] = silent;
  const isPartly = silent.size === 1 && FAMILIES.some((each) => answered.has(each) && !silent.has(each));
  return [
    {
      ...{ node, name: found.name, kind: "missed", servers: by.length, by: by.slice(0, LIMITS.silenceNames) },
      family: isPartly ? (family ?? null) : null,
    },
  ];
}

function remembering(look: (node: string) => boolean): (node: string) => boolean {
  const known = new Map<string, boolean>();
  return (node) => {
    const found = known.get(node) ?? look(node);
    known.set(node, found);
    return found;
  };
}
