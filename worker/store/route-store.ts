// Which managed routes are ours to withdraw, and what a write of ours may have wiped that landed late: the controller
// replaces the list as a whole, and says to nobody who wrote it.
import { type Route, sameRoutes } from "../lease/managed-routes.ts";
import type { MemoryStore, RoutesUnheard } from "./memory-store.ts";
import { canStillLand } from "./unheard-store.ts";

/** Writes without an answer that are remembered at most: of more, the oldest would hardly land last. */
const MOST_UNHEARD = 4;

export class RouteStore {
  readonly #memory: MemoryStore;

  constructor(memory: MemoryStore) {
    this.#memory = memory;
  }

  /**
   * The slots whose routes are ours: those that we wrote, or adopted, and have not seen gone since. A route to any other slot is somebody
   * else's, also when the slot is leased.
   */
  owned(): Set<number> {
    return new Set([...this.#memory.slotsPublished(), ...this.unheard().flatMap(({ slots }) => slots)]);
  }

  /** These routes, to the slots, are ours from now on: whoever set them by hand gives them to us. */
  adopt(routes: readonly Route[], slots: readonly number[]): void {
    if (slots.length === 0) return;
    this.#memory.setSlotsPublished([...new Set([...this.#memory.slotsPublished(), ...slots])]);
    const writes = this.unheard();
    if (writes.length === 0) return;
    const isAdopted = (route: Route): boolean => routes.some((one) => sameRoutes([one], [route]));
    this.#memory.setRoutesUnheard(
      writes.map((write) => ({ ...write, seen: write.seen.filter((route) => !isAdopted(route)) })),
    );
  }

  /** The writes that have perhaps not landed yet, or have and were not seen: kept until a look that is late enough. */
  unheard(): RoutesUnheard[] {
    return this.#memory.routesUnheard();
  }

  /** Before a write of routes, of which those to `slots` are ours: they stay so also when its answer gets lost. */
  writing(routes: readonly Route[], slots: readonly number[], at: number): void {
    const before = this.#memory.routesUnheard();
    const write = { at, routes: [...routes], slots: [...slots], seen: [] };
    this.#memory.setRoutesUnheard([...before, write].slice(-MOST_UNHEARD));
  }

  /** The write that left last was answered: it does not land any more. There is never a second one on its way. */
  heard(): void {
    const writes = this.#memory.routesUnheard();
    this.#memory.setSlotsPublished([
      ...new Set([...this.#memory.slotsPublished(), ...(writes.at(-1)?.slots ?? [])]),
    ]);
    this.refused();
  }

  /** The write that left last was refused: it never lands. */
  refused(): void {
    this.#memory.setRoutesUnheard(this.#memory.routesUnheard().slice(0, -1));
  }

  /**
   * The controller had these routes when it was asked at `readAt` (ms since 1970), some to `slots`: to others, none is ours any
   * more unless it may still land. `others`: those of the routes that are not ours.
   */
  saw(routes: readonly Route[], slots: readonly number[], others: readonly Route[], readAt: number): void {
    const owned = this.owned();
    const ours = new Set(slots.filter((slot) => owned.has(slot)));
    const before = this.#memory.slotsPublished();
    if (before.length !== ours.size || before.some((slot) => !ours.has(slot)))
      this.#memory.setSlotsPublished([...ours]);
    const writes = this.unheard();
    if (writes.length === 0) return;
    this.#memory.setRoutesUnheard(
      writes
        .filter(({ at }) => canStillLand(at, readAt))
        .map((write) => (sameRoutes(routes, write.routes) ? write : { ...write, seen: [...others] })),
    );
  }

  /** Of the routes of others that were there before a late write of ours took effect, those that it wiped. */
  wiped(routes: readonly Route[]): Route[] {
    const landed = this.unheard().find((write) => sameRoutes(routes, write.routes));
    return landed?.seen.filter((route) => !routes.some((kept) => sameRoutes([kept], [route]))) ?? [];
  }
}
