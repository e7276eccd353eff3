// Whether a member that somebody set up by hand has the numbers of one slot, and so can be a lease as it is: its address is the
// slot's, and the route that leads to it the slot's too.
import { contains, parseAddress } from "../address/prefix.ts";
import { err, ok, type Result } from "../base/result.ts";
import { isSlotTaken, type Route, slotOfRoute } from "./managed-routes.ts";
import { isAutomatic, type Pool, slotOfText, slotsOfTexts, zerotierAddress } from "./pool.ts";

/** A member of the network, as far as it matters here. */
export interface HandMade {
  readonly node: string;
  readonly authorized: boolean;
  readonly addresses: readonly string[];
}

/** What of the member, or of the routes, is not as a lease has it. `addresses`: those that it is about. */
export type HandFault =
  | { readonly reason: "not-authorized" | "no-address" }
  | { readonly reason: "address-outside" | "two-addresses"; readonly addresses: readonly string[] }
  | { readonly reason: "address-automatic" | "address-of-no-slot"; readonly address: string }
  | { readonly reason: "address-shared"; readonly address: string; readonly member: string }
  | { readonly reason: "other-route"; readonly address: string; readonly slot: number; readonly route: Route }
  | { readonly reason: "slot-routed"; readonly slot: number; readonly route: Route };

/** What the members and routes of a network say of its slots. */
export interface HandMadeNetwork {
  /** The members that have the slot's address, authorized or not. */
  readonly holdersOf: (slot: number) => readonly string[];
  /** The routes inside the pool that are not known to be ours. */
  readonly routes: readonly Route[];
}

/** A slot that a member has by hand; `isRouted`: the route to its subnet is there, and was set by hand too. */
export interface HandMadeSlot {
  readonly slot: number;
  readonly isRouted: boolean;
}

/** The slot whose numbers the member has, when it has nothing else; otherwise the first thing that is in the way. */
export function slotByHand(
  pool: Pool,
  { node, authorized, addresses }: HandMade,
  { holdersOf, routes }: HandMadeNetwork,
): Result<HandMadeSlot, HandFault> {
  if (!authorized) return err({ reason: "not-authorized" });
  const found = slotOfAddresses(pool, addresses);
  if (!found.ok) return found;
  const slot = found.value;
  const address = zerotierAddress(pool, slot);
  const member = holdersOf(slot).find((other) => other !== node);
  if (member !== undefined) return err({ reason: "address-shared", address, member });
  const own = routes.filter((route) => slotOfRoute(pool, route) === slot);
  const others = routes.filter((route) => !own.includes(route));
  const astray = others.find(({ via }) => via !== null && slotOfText(pool, via) === slot);
  if (astray !== undefined) return err({ reason: "other-route", address, slot, route: astray });
  // A second one that says the same would be taken away with the next write.
  const inTheWay = others.find((route) => isSlotTaken(pool, route, slot)) ?? own[1];
  if (inTheWay !== undefined) return err({ reason: "slot-routed", slot, route: inTheWay });
  return ok({ slot, isRouted: own.length > 0 });
}

/** The one slot that goes with the addresses. Those of other ranges, and one that the controller gave besides, do no harm. */
function slotOfAddresses(pool: Pool, addresses: readonly string[]): Result<number, HandFault> {
  const held = addresses.filter((text) => slotOfText(pool, text) !== undefined);
  const [slot, another] = slotsOfTexts(pool, held);
  if (another !== undefined) return err({ reason: "two-addresses", addresses: held });
  if (slot !== undefined) return ok(slot);
  const fours = addresses.filter((text) => parseAddress(text)?.family === 4);
  if (fours.length === 0) return err({ reason: "no-address" });
  const address = fours.find((text) => isInRange(pool, text));
  if (address === undefined) return err({ reason: "address-outside", addresses: fours });
  return err({ reason: isAutomatic(pool, address) ? "address-automatic" : "address-of-no-slot", address });
}

function isInRange(pool: Pool, text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && contains(pool.zerotier, address);
}
