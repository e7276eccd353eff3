import { overlaps, type Prefix, parseMaskedPrefix, parsePrefix } from "../../worker/address/prefix.ts";
import { Refused } from "./refused.ts";

/** A network that the mesh's ranges had better not share an address with. */
export interface OtherNetwork {
  readonly prefix: Prefix;
  /** For people: `docker0 of this machine`. */
  readonly what: string;
}

/** The two ranges of a deployment. */
export interface Ranges {
  readonly ZEROTIER_RANGE: string;
  readonly DOCKER_POOL: string;
}

const numbers = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

/** Tried in this order after the one of wrangler.jsonc. */
const CANDIDATES: { readonly [range in keyof Ranges]: readonly string[] } = {
  ZEROTIER_RANGE: numbers(17, 254).map((third) => `10.147.${third}.0/24`),
  // First the sixteen of 172.16/12 from its end, where Docker's own networks come last; then what home networks seldom have.
  DOCKER_POOL: [
    ...numbers(0, 15).map((at) => `172.${31 - at}.0.0/16`),
    ...numbers(64, 127).map((second) => `10.${second}.0.0/16`),
  ],
};

/** The networks in CIDR notation, host bits and all; IPv6 ones and what is none are left out. */
export function otherNetworks(cidrs: readonly { cidr: string; what: string }[]): OtherNetwork[] {
  return cidrs.flatMap(({ cidr, what }) => {
    const prefix = parsePrefix(cidr) ?? parseMaskedPrefix(cidr);
    // A default route is no network that a range could keep clear of.
    return prefix?.family === 4 && prefix.length > 0 ? [{ prefix, what }] : [];
  });
}

/** What a range shares addresses with. */
export function clashes(range: string, others: readonly OtherNetwork[]): OtherNetwork[] {
  const prefix = parsePrefix(range);
  return prefix === undefined ? [] : others.filter((other) => overlaps(prefix, other.prefix));
}

/**
 * Ranges that share no address with the others. `given` ones are taken as they are; `usual` is tried first. Throws a Refused
 * when none is free.
 */
export function chooseRanges(given: Partial<Ranges>, usual: Ranges, others: readonly OtherNetwork[]): Ranges {
  const choose = (name: keyof Ranges, beside: string | undefined): string => {
    const said = given[name];
    if (said !== undefined) return said;
    const taken = [...others, ...otherNetworks(beside === undefined ? [] : [{ cidr: beside, what: "" }])];
    const free = [usual[name], ...CANDIDATES[name]].find((range) => clashes(range, taken).length === 0);
    if (free !== undefined) return free;
    const flag = `--${name.toLowerCase().replace("_", "-")}`;
    throw new Refused(
      `No ${name} is free beside the networks that are here: choose one and give it as ${flag}`,
    );
  };
  const ZEROTIER_RANGE = choose("ZEROTIER_RANGE", given.DOCKER_POOL);
  return { ZEROTIER_RANGE, DOCKER_POOL: choose("DOCKER_POOL", ZEROTIER_RANGE) };
}
