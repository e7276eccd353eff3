// The audit log: one row for each change of a lease, reservation, key, admin token, session or webhook, written with it. Ids are consecutive, so
// that what is to be read, sent or forgotten follows from the newest, and nothing ever counts the rows.
import type { Deed } from "../lease/deed.ts";
import type { Database } from "./database.ts";
import type { StoredNode } from "./stored-node.ts";
import type { WebhookStore } from "./webhook-store.ts";

/** An entry of the log. Its words are those of `worker/lease/deed.ts`, or of a later version that was taken back. */
export interface StoredEvent {
  readonly id: number;
  /** ms since 1970. */
  readonly at: number;
  readonly who: string;
  /** Of the admin token or the node. */
  readonly whoId: string | null;
  readonly action: string;
  readonly node: string | null;
  readonly name: string | null;
  readonly slot: number | null;
  /** Of the lease from then on. */
  readonly state: string | null;
  readonly keyId: string | null;
  /** Of the admin token that was made or taken back, or whose session it is. */
  readonly tokenId: string | null;
  readonly webhook: string | null;
  /** The name, the slot or the tags before, of the one that changed. */
  readonly was: string | null;
  readonly why: string | null;
}

/** A lease as a deed leaves it, a reservation, or what a key is for; `was`: the name, the slot or the tags before, of what it changes. */
export interface Subject extends Pick<StoredNode, "name" | "slot"> {
  readonly node?: string | null;
  readonly state?: StoredNode["state"] | "released";
  readonly was?: string;
}

/** Which events are wanted; what is left out does not matter. */
export interface EventFilter {
  readonly node: string | undefined;
  readonly action: string | undefined;
  readonly name: string | undefined;
  readonly keyId: string | undefined;
}

type Row = {
  id: number;
  at: number;
  who: string;
  who_id: string | null;
  action: string;
  node: string | null;
  name: string | null;
  slot: number | null;
  state: string | null;
  key_id: string | null;
  token_id: string | null;
  webhook: string | null;
  was: string | null;
  why: string | null;
};

export class EventStore {
  readonly #db: Database;
  readonly #webhooks: WebhookStore;

  constructor(db: Database, webhooks: WebhookStore) {
    this.#db = db;
    this.#webhooks = webhooks;
  }

  /** Notes what was done at that time (ms since 1970), and to what if not to a key alone. */
  add(at: number, { by, action, key, token, webhook, why }: Deed, subject?: Subject): void {
    // Without AUTOINCREMENT, which would write a row more: the newest is never deleted, so no id comes twice.
    this.#db.write(
      `INSERT INTO events (at, who, who_id, action, node, name, slot, state, key_id, token_id, webhook, was, why)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      at,
      by.who,
      "id" in by ? by.id : null,
      action,
      subject?.node ?? null,
      subject?.name ?? null,
      subject?.slot ?? null,
      subject?.state ?? null,
      key ?? null,
      token ?? null,
      webhook ?? null,
      subject?.was ?? null,
      why ?? null,
    );
    this.#webhooks.wake(action, at);
  }

  /** The ids of the oldest and the newest; undefined while there is none. */
  ends(): { readonly oldest: number; readonly newest: number } | undefined {
    const { oldest, newest } = this.#db.readOne<{ oldest: number | null; newest: number | null }>(
      "SELECT (SELECT min(id) FROM events) AS oldest, (SELECT max(id) FROM events) AS newest",
    );
    return oldest === null || newest === null ? undefined : { oldest, newest };
  }

  /** Those wanted with ids from `first` to `last`, the newest first, at most `limit`. */
  between(
    first: number,
    last: number,
    { node, action, name, keyId }: EventFilter,
    limit: number,
  ): StoredEvent[] {
    return this.#db
      .read<Row>(
        `SELECT * FROM events WHERE id BETWEEN ?1 AND ?2 AND (?3 IS NULL OR node = ?3) AND (?4 IS NULL OR action = ?4)
           AND (?5 IS NULL OR name = ?5 OR (action = 'renamed' AND was = ?5)) AND (?6 IS NULL OR key_id = ?6)
           ORDER BY id DESC LIMIT ?7`,
        first,
        last,
        node ?? null,
        action ?? null,
        name ?? null,
        keyId ?? null,
        limit,
      )
      .map(fromRow);
  }

  /** Those of the actions (null: of any) that came after the id, the oldest first, at most `limit`. */
  after(id: number, actions: readonly string[] | null, limit: number): StoredEvent[] {
    return this.#db
      .read<Row>(
        `SELECT * FROM events WHERE id > ?1 AND (?2 IS NULL OR action IN (SELECT value FROM json_each(?2)))
           ORDER BY id LIMIT ?3`,
        id,
        actions === null ? null : JSON.stringify(actions),
        limit,
      )
      .map(fromRow);
  }

  /** Forgets the oldest beyond the newest `keep`, but no more than `most` at a time. */
  trim(keep: number, most: number): void {
    const ends = this.ends();
    if (ends === undefined) return;
    const last = Math.min(ends.newest - keep, ends.oldest + most - 1);
    if (last < ends.oldest) return;
    this.#webhooks.miss(last);
    this.#db.write("DELETE FROM events WHERE id <= ?", last);
  }
}

function fromRow({ who_id: whoId, key_id: keyId, token_id: tokenId, ...row }: Row): StoredEvent {
  return { ...row, whoId, keyId, tokenId };
}
