import type { ReachOfServer, ReachPair } from "./reach.ts";

/** So many servers are named in a clause. */
const NAMED = 2;

const FAMILIES = [
  ["IPv4", "ipv4"],
  ["IPv6", "ipv6"],
] as const;

/**
 * What probes say against servers that call themselves well, a clause for each by its node. Who gets no answer from anybody is taken for
 * the one that is cut off, and its word counts against no other.
 * @param reach Who gets no answer from somebody, with these pairs alone, as `GET /v1/reach?silent=true` has them.
 */
export function silences(reach: readonly ReachOfServer[]): ReadonlyMap<string, string> {
  const clauses = new Map<string, string>();
  const missedBy = new Map<string, string[]>();
  for (const { node, name, probed, pairs } of reach) {
    const dead = pairs.length === probed && probed > 1 ? deadFamilies(pairs) : "";
    if (dead !== "") clauses.set(node, `gets no answer${dead} from any of the ${probed} that it probed`);
    else for (const pair of pairs) missedBy.set(pair.node, [...(missedBy.get(pair.node) ?? []), name]);
  }
  for (const [node, names] of missedBy)
    if (!clauses.has(node)) clauses.set(node, `does not answer ${listed(names)}`);
  return clauses;
}

/** The families by which none of them answers, as they are said behind a verb; "": none. */
function deadFamilies(pairs: readonly ReachPair[]): string {
  const probed = FAMILIES.filter(([, key]) => pairs.some((pair) => pair[key] !== null));
  const dead = probed.filter(([, key]) => pairs.every((pair) => pair[key]?.answers !== true));
  if (dead.length === 0) return "";
  return dead.length === probed.length ? " at all" : ` over ${dead.map(([name]) => name).join()}`;
}

function listed(names: readonly string[]): string {
  const others = names.length - NAMED;
  if (others <= 0) return names.join(" and ");
  return `${names.slice(0, NAMED).join(", ")} and ${others} more`;
}
