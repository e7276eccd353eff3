import type { Pace } from "../../../worker/controller/pace.ts";

/** A pace that lets everything through and remembers what it was told. */
export function makeOpenPace(): Pace & { readonly told: { limit?: number; heldUntil?: number } } {
  const told: { limit?: number; heldUntil?: number } = {};
  return {
    told,
    run: (call) => call(),
    learnLimit: (limit) => {
      told.limit = limit;
    },
    holdUntil: (time) => {
      told.heldUntil = time;
    },
    state: () => ({ limit: told.limit ?? 1, lately: 0, waiting: 0, heldUntil: told.heldUntil }),
  };
}
