import { type Route, sameRoutes, slotRoute, slotsTakenByRoutes } from "./managed-routes.ts";
import { isLeasable, type Pool } from "./pool.ts";

/** An address of a slot that a member has at the controller. */
export interface HeldAddress {
  readonly slot: number;
  readonly member: string;
}

/**
 * The slot that the node has by what the controller says, though no lease is stored: its storage was lost, or somebody set the
 * server up by hand after the same scheme. The proof is the slot's address, which the node has there and nobody else; undefined
 * when another's route is in the way. Of several slots the one that has its route, then the lowest. `held`: of all members
 * without the lease; `routes`: those inside the pool that are not known to be ours.
 */
export function ownSlot(
  pool: Pool,
  node: string,
  held: readonly HeldAddress[],
  routes: readonly Route[],
): number | undefined {
  const others = new Set(held.filter(({ member }) => member !== node).map(({ slot }) => slot));
  const own = held
    .filter(({ member, slot }) => member === node && isLeasable(pool, slot) && !others.has(slot))
    .map(({ slot }) => slot)
    .sort((a, b) => a - b);
  const isItsRoute = (slot: number, route: Route): boolean => sameRoutes([route], [slotRoute(pool, slot)]);
  const free = own.filter(
    (slot) =>
      !slotsTakenByRoutes(
        pool,
        routes.filter((route) => !isItsRoute(slot, route)),
      ).has(slot),
  );
  return free.find((slot) => routes.some((route) => isItsRoute(slot, route))) ?? free[0];
}
