import { keySchema } from "../../../worker/schema/key.ts";
import { when } from "../terminal/duration.ts";
import { Refused, type Worker } from "./worker.ts";

/** What is known of a key that has brought no server. */
export interface KeyInWait {
  /** Whether it lets nobody in any more, so that there is nothing to wait for. */
  readonly isOver: boolean;
  /** Why it is over, or why it may be so; undefined: it is good. */
  readonly why: string | undefined;
}

/** Asks for it. `now`: ms since 1970. */
export async function keyInWait(worker: Worker, id: string, now: number): Promise<KeyInWait> {
  try {
    const { value } = await worker.ask("GET", `/v1/keys/${encodeURIComponent(id)}`, keySchema);
    const { state, uses, expiresAt } = value;
    if (state === "revoked") return { isOver: true, why: `key ${id} was taken back` };
    // Whom it let in before may come by it again, also when it is spent or expired.
    if (uses > 0)
      return { isOver: false, why: `key ${id} was used, and no server that came by it last is in` };
    if (state === "expired") return { isOver: true, why: `key ${id} has expired, ${when(expiresAt, now)}` };
    return { isOver: false, why: undefined };
  } catch (error) {
    if (error instanceof Refused && error.status === 404)
      return { isOver: true, why: `there is no key ${id}: it was deleted, or never was` };
    throw error;
  }
}
