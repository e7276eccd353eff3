// Who has which slot, many slots a row. It says again what the tables `nodes`, `released` and `reservations` say, for two questions that
// would otherwise read a row for each lease, and the free plan counts rows: which of all members have the addresses of
// their own leases, and which is the lowest slot that was never leased.
import type { Database } from "./database.ts";

/** Slots of a page, as migration 9 filled them; the last page is as long as it has to be. */
const SLOTS = 16_384;

/** Characters of a slot's entry: the node's id, or one of two that are no node's. */
const WIDTH = 10;
const NEVER_LEASED = "0".repeat(WIDTH);
/** Nobody's now: it was released, or is reserved. */
const WITHHELD = "f".repeat(WIDTH);

type Row = { page: number; slots: string; is_full: number };

/** Who has which slot, as it was when it was read. */
export interface Holders {
  /** The node that the slot is leased to. */
  of(slot: number): string | undefined;
  /** How many slots are leased. */
  count(): number;
  /** Each slot that is leased, ascending, and the node that has it. */
  all(): Iterable<{ readonly slot: number; readonly node: string }>;
}

export class SlotPages {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Within the transaction that changes what the tables say of the slot: says the same. */
  follow(slot: number): void {
    const { page, at } = placeOf(slot);
    const row = this.#open(page);
    const slots = row.slots.padEnd(at, NEVER_LEASED);
    this.#write(row, slots.slice(0, at) + this.#entryOf(slot) + slots.slice(at + WIDTH));
  }

  /** Within the transaction in which the table `released` is emptied, and no slot is reserved: says the same. */
  forgetReleased(): void {
    for (const row of this.#all())
      this.#write(
        row,
        entriesOf(row.slots)
          .map((entry) => (entry === WITHHELD ? NEVER_LEASED : entry))
          .join(""),
      );
  }

  /** Within the transaction in which the tables were filled all at once: says the same, a page at a time. */
  fill(): void {
    const withheld = this.#db.read<{ slot: number }>(
      "SELECT slot FROM released UNION SELECT slot FROM reservations",
    );
    const leased = this.#db.read<{ slot: number; node: string }>("SELECT slot, node FROM nodes");
    const entries = new Map([
      ...withheld.map(({ slot }) => [slot, WITHHELD] as const),
      ...leased.map(({ slot, node }) => [slot, node] as const),
    ]);
    const byPage = Map.groupBy(entries.keys(), (slot) => placeOf(slot).page);
    for (const [page, slots] of byPage) {
      const first = page * SLOTS + 1;
      const last = slots.reduce((most, slot) => Math.max(most, slot), first);
      const said = Array.from(
        { length: last - first + 1 },
        (_, at) => entries.get(first + at) ?? NEVER_LEASED,
      );
      this.#write(this.#open(page), said.join(""));
    }
  }

  /** Who has which slot. Reads all pages. */
  holders(): Holders {
    const pages = this.#all().map(({ slots }) => slots);
    return {
      of(slot) {
        const { page, at } = placeOf(slot);
        const entry = pages[page]?.slice(at, at + WIDTH) ?? "";
        return isNode(entry) ? entry : undefined;
      },
      count: () => pages.flatMap(entriesOf).filter(isNode).length,
      *all() {
        for (const [page, slots] of pages.entries())
          for (const [at, node] of entriesOf(slots).entries())
            if (isNode(node)) yield { slot: page * SLOTS + at + 1, node };
      },
    };
  }

  /** The slots that were never leased, ascending and without end. Reads a page at a time, and none without such a slot. */
  *neverLeased(): Iterable<number> {
    let next = 0;
    for (let row = this.#notFull(next); row !== undefined; row = this.#notFull(next)) {
      for (let at = freshFrom(row.slots, 0); at < SLOTS * WIDTH; at = freshFrom(row.slots, at + WIDTH))
        yield row.page * SLOTS + at / WIDTH + 1;
      next = row.page + 1;
    }
    for (let slot = this.#count() * SLOTS + 1; ; slot++) yield slot;
  }

  #all(): Row[] {
    return this.#db.read<Row>("SELECT page, slots, is_full FROM slot_pages ORDER BY page");
  }

  #notFull(from: number): Row | undefined {
    return this.#db.read<Row>(
      "SELECT page, slots, is_full FROM slot_pages WHERE is_full = 0 AND page >= ? ORDER BY page LIMIT 1",
      from,
    )[0];
  }

  /** How many pages there are: they are numbered from 0 without a gap. */
  #count(): number {
    return this.#db.readOne<{ count: number }>("SELECT coalesce(max(page), -1) + 1 AS count FROM slot_pages")
      .count;
  }

  /** The page, made if need be, and those before it. */
  #open(page: number): Row {
    const [row] = this.#db.read<Row>("SELECT page, slots, is_full FROM slot_pages WHERE page = ?", page);
    if (row !== undefined) return row;
    for (let next = this.#count(); next <= page; next++)
      this.#db.write("INSERT INTO slot_pages (page, slots) VALUES (?, '')", next);
    return { page, slots: "", is_full: 0 };
  }

  #write({ page, slots: before, is_full }: Row, slots: string): void {
    if (slots === before) return;
    this.#db.write("UPDATE slot_pages SET slots = ? WHERE page = ?", slots, page);
    const isFull = Number(freshFrom(slots, 0) >= SLOTS * WIDTH);
    // By itself, since a write of this column costs its index too.
    if (isFull !== is_full) this.#db.write("UPDATE slot_pages SET is_full = ? WHERE page = ?", isFull, page);
  }

  /** What the tables say of the slot. */
  #entryOf(slot: number): string {
    const [holder] = this.#db.read<{ node: string }>("SELECT node FROM nodes WHERE slot = ?", slot);
    if (holder !== undefined) return holder.node;
    const withheld = this.#db.read<{ slot: number }>(
      "SELECT slot FROM released WHERE slot = ?1 UNION ALL SELECT slot FROM reservations WHERE slot = ?1",
      slot,
    );
    return withheld.length > 0 ? WITHHELD : NEVER_LEASED;
  }
}

/** The slot's page, and where its entry begins there. Slot 0 is never leased, and has none. */
function placeOf(slot: number): { readonly page: number; readonly at: number } {
  return { page: Math.floor((slot - 1) / SLOTS), at: ((slot - 1) % SLOTS) * WIDTH };
}

/** Where the first entry from there on is, of which the page says that its slot was never leased, or says nothing. */
function freshFrom(slots: string, from: number): number {
  for (let at = from; at < slots.length; at += WIDTH) if (slots.startsWith(NEVER_LEASED, at)) return at;
  return Math.max(from, slots.length);
}

function entriesOf(slots: string): string[] {
  return slots.match(/.{10}/g) ?? [];
}

/** Whether the entry is a node's; beyond the end of a page there is none. */
function isNode(entry: string): boolean {
  return entry !== "" && entry !== NEVER_LEASED && entry !== WITHHELD;
}
