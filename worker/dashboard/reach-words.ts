import type { ReachOfServer, ReachPair } from "../schema/reach.ts";

const FAULTS: Readonly<Record<NonNullable<ReachOfServer["fault"]>, string>> = {
  "no-ping": "has no ping of iputils, and probes nobody: apt-get install iputils-ping there",
  "no-gateway":
    "has no address of its containers' network, and probes nobody: is dockerd down there? See meshboot doctor",
};

const FAMILIES = [
  ["IPv4", "ipv4"],
  ["IPv6", "ipv6"],
] as const;

/** What is wrong between a server and one that it probed, in one clause; undefined: nothing. */
export function wrongWith(from: string, pair: ReachPair): string | undefined {
  const over = (isSo: (family: NonNullable<ReachPair["ipv4"]>) => boolean): string[] =>
    FAMILIES.flatMap(([name, key]) => {
      const family = pair[key];
      return family !== null && isSo(family) ? [name] : [];
    });
  const silent = over(({ answers }) => !answers);
  const probed = over(() => true);
  if (silent.length > 0)
    return `${from} does not reach ${pair.name}${silent.length < probed.length ? ` over ${silent.join()}` : ""}`;
  const split = over(({ mtu }) => mtu === null);
  if (split.length > 0)
    return `full packets of ${from}'s do not reach ${pair.name} over ${split.join(" and ")}, small ones do: a lower MTU on both`;
  return undefined;
}

/** Why a server probes nobody though it would; undefined: it does, or is not to. */
export function faultOf({ name, fault }: ReachOfServer): string | undefined {
  return fault === null ? undefined : `${name} ${FAULTS[fault]}`;
}

/** The shorter round trip of a pair's, as people say it; undefined: nothing came back. */
export function roundTrip({ ipv4, ipv6 }: ReachPair): string | undefined {
  const times = [ipv4?.rttMs ?? null, ipv6?.rttMs ?? null].filter((ms) => ms !== null);
  return times.length === 0 ? undefined : sayMs(Math.min(...times));
}

/** A round trip with as many digits as say something. */
export function sayMs(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}
