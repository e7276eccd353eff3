// The nodes and their leases. One row a node; `slot` and `name` are unique by the table itself.
import { z } from "zod";
import { type NodeId, parseNodeId } from "../lease/ids.ts";
import type { NodeSort } from "../schema/node-query.ts";
import type { Database } from "./database.ts";
import type { SlotPages } from "./slot-pages.ts";
import type { RevokedBy, StoredNode, StoredState } from "./stored-node.ts";

type Row = {
  node: string;
  name: string;
  slot: number;
  state: string;
  revoked_by: string | null;
  identity: string | null;
  machine_id: string | null;
  key_id: string | null;
  token_hashes: string;
  leased_at: number;
  seen_at: number;
  delivered_at: number | null;
  facts: string | null;
  report: string | null;
  reported_at: number | null;
  last_repair: string | null;
  findings: string | null;
  probes: string | null;
  address: string | null;
  tags: string | null;
  let_in_at: number | null;
  deauthorized_at: number | null;
  ephemeral_minutes: number | null;
};

/** A place in an order of nodes, also when the node there was deleted: what it is sorted by, and its id. */
export interface NodePlace {
  readonly by: string | number;
  readonly node: string;
}

const COLUMNS = { name: "name", slot: "slot", lastSeen: "seen_at" } as const;

function columnOf(sort: NodeSort): { readonly key: keyof typeof COLUMNS; readonly isTurned: boolean } {
  switch (sort) {
    case "-name":
      return { key: "name", isTurned: true };
    case "-slot":
      return { key: "slot", isTurned: true };
    case "-lastSeen":
      return { key: "lastSeen", isTurned: true };
    default:
      return { key: sort, isTurned: false };
  }
}

/** The node's place in that order. */
export function placeOf({ node, name, slot, seenAt }: StoredNode, sort: NodeSort): NodePlace {
  return { by: { name, slot, lastSeen: seenAt }[columnOf(sort).key], node };
}

type Sight = Pick<StoredNode, "seenAt" | "address">;

const texts = z.array(z.string());

/** Nodes of one kind, where an index finds them without a look at the others. */
export type NodeSubset =
  | { readonly kind: "named"; readonly name: string }
  /** Those that the key with this id let in last. */
  | { readonly kind: "of-key"; readonly keyId: string }
  | { readonly kind: "not-active"; readonly state: Exclude<StoredState, "active"> }
  /** Active, and not seen since then (ms since 1970). */
  | { readonly kind: "unseen"; readonly since: number }
  /** Whose last report is of a failure. */
  | { readonly kind: "failed" }
  /** Who got no answer from somebody, when they last probed. */
  | { readonly kind: "unanswered" };

const NOT_ACTIVE = "SELECT * FROM nodes INDEXED BY nodes_not_active WHERE state <> 'active'";
const UNANSWERED = "SELECT * FROM nodes INDEXED BY unanswered_nodes WHERE probes ->> '$.isUnanswered'";
const FAILED = "nodes INDEXED BY failed_nodes WHERE report ->> '$.state' = 'failed'";

/** The query of a subset, and its values, ?1 first. An order would make SQLite take the index of that order instead, so the index is named. */
function rowsOf(subset: NodeSubset): readonly [query: string, ...values: (string | number)[]] {
  switch (subset.kind) {
    case "named":
      return ["SELECT * FROM nodes WHERE name = ?1", subset.name];
    // By whom the key ever let in: an index of its own would cost each lease two rows.
    case "of-key":
      return [
        `SELECT nodes.* FROM admissions CROSS JOIN nodes USING (node)
          WHERE admissions.key_id = ?1 AND nodes.key_id = ?1`,
        subset.keyId,
      ];
    case "not-active":
      return [`${NOT_ACTIVE} AND state = ?1`, subset.state];
    case "unseen":
      return [
        "SELECT * FROM nodes INDEXED BY active_nodes_by_sight WHERE state = 'active' AND seen_at <= ?1",
        subset.since,
      ];
    case "failed":
      return [`SELECT * FROM ${FAILED}`];
    case "unanswered":
      return [UNANSWERED];
  }
}

export class NodeStore {
  readonly #db: Database;
  readonly #pages: SlotPages;

  constructor(db: Database, pages: SlotPages) {
    this.#db = db;
    this.#pages = pages;
  }

  get(node: string): StoredNode | undefined {
    return this.#db.read<Row>("SELECT * FROM nodes WHERE node = ?", node).map(fromRow)[0];
  }

  /** The node that has the slot. */
  holderOf(slot: number): StoredNode | undefined {
    return this.#db.read<Row>("SELECT * FROM nodes WHERE slot = ?", slot).map(fromRow)[0];
  }

  /** The nodes that have the slots from `from` to `to`, by slot. */
  between(from: number, to: number): StoredNode[] {
    return this.#db
      .read<Row>("SELECT * FROM nodes WHERE slot BETWEEN ? AND ? ORDER BY slot", from, to)
      .map(fromRow);
  }

  /** The nodes of the next slots behind that one, at most `limit`, by slot. */
  behind(
    slot: number,
    limit: number,
  ): Pick<StoredNode, "node" | "slot" | "state" | "seenAt" | "deliveredAt">[] {
    return this.#db
      .read<Pick<Row, "node" | "slot" | "state" | "seen_at" | "delivered_at">>(
        "SELECT node, slot, state, seen_at, delivered_at FROM nodes WHERE slot > ? ORDER BY slot LIMIT ?",
        slot,
        limit,
      )
      .map((row) => ({
        ...{ node: nodeIdOf(row), slot: row.slot, state: storedState(row.state) },
        ...{ seenAt: row.seen_at, deliveredAt: row.delivered_at },
      }));
  }

  /** Writes the whole row, new or known, and what the pages of slots say of it. */
  put(node: StoredNode): void {
    const before = this.#slotOf(node.node);
    this.putRow(node);
    if (before === node.slot) return;
    if (before !== undefined) this.#pages.follow(before);
    this.#pages.follow(node.slot);
  }

  /** Writes the row alone, for many at once: the pages of slots are filled after them. */
  putRow(node: StoredNode): void {
    this.#db.write(
      `INSERT INTO nodes (node, name, slot, state, revoked_by, identity, machine_id, key_id, token_hashes,
         leased_at, seen_at, delivered_at, facts, report, reported_at, last_repair, findings, address, tags,
         let_in_at, deauthorized_at, ephemeral_minutes, probes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (node) DO UPDATE SET name = excluded.name, slot = excluded.slot, state = excluded.state,
         revoked_by = excluded.revoked_by, identity = excluded.identity, machine_id = excluded.machine_id,
         key_id = excluded.key_id, token_hashes = excluded.token_hashes, leased_at = excluded.leased_at,
         seen_at = excluded.seen_at, delivered_at = excluded.delivered_at,
         facts = excluded.facts, report = excluded.report, reported_at = excluded.reported_at,
         last_repair = excluded.last_repair, findings = excluded.findings, address = excluded.address, tags = excluded.tags,
         let_in_at = excluded.let_in_at, deauthorized_at = excluded.deauthorized_at,
         ephemeral_minutes = excluded.ephemeral_minutes, probes = excluded.probes`,
      node.node,
      node.name,
      node.slot,
      node.state,
      node.revokedBy,
      node.identity,
      node.machineId,
      node.keyId,
      JSON.stringify(node.tokenHashes),
      node.leasedAt,
      node.seenAt,
      node.deliveredAt,
      node.facts,
      node.report,
      node.reportedAt,
      node.lastRepair,
      node.findings,
      node.address,
      node.tags.length === 0 ? null : JSON.stringify(node.tags),
      node.letInAt,
      node.deauthorizedAt,
      node.ephemeralMinutes,
      node.probes,
    );
  }

  /** Writes what a heartbeat changes. The columns alone: with a name and a slot in it, a write would cost their indexes too. */
  reported(
    node: string,
    beat: Sight & Pick<StoredNode, "report" | "reportedAt" | "lastRepair" | "findings" | "facts" | "probes">,
    { isNews }: { readonly isNews: boolean },
  ): void {
    this.#db[isNews ? "write" : "writeQuietly"](
      `UPDATE nodes SET seen_at = ?, address = ?, report = ?, reported_at = ?, last_repair = ?,
         findings = ?, facts = ?, probes = ? WHERE node = ?`,
      beat.seenAt,
      beat.address,
      beat.report,
      beat.reportedAt,
      beat.lastRepair,
      beat.findings,
      beat.facts,
      beat.probes,
      node,
    );
  }

  /** The node was seen at that time. */
  seen(node: string, at: number): void {
    this.#db.writeQuietly("UPDATE nodes SET seen_at = ? WHERE node = ?", at, node);
  }

  /**
   * The controller took the node's member at that time. `letInAt`: what of it the delivery knew, which is done;
   * `deauthorizedAt`: what the member says by now, if anything.
   */
  delivered(node: string, at: number, letInAt: number | null, deauthorizedAt: number | undefined): void {
    this.#db.write(
      `UPDATE nodes SET delivered_at = ?, let_in_at = nullif(let_in_at, ?),
         deauthorized_at = coalesce(?, deauthorized_at) WHERE node = ?`,
      at,
      letInAt,
      deauthorizedAt ?? null,
      node,
    );
  }

  remove(node: string): void {
    const slot = this.#slotOf(node);
    this.#db.write("DELETE FROM nodes WHERE node = ?", node);
    if (slot !== undefined) this.#pages.follow(slot);
  }

  #slotOf(node: string): number | undefined {
    return this.#db.read<{ slot: number }>("SELECT slot FROM nodes WHERE node = ?", node)[0]?.slot;
  }

  /** The nodes in that order, those after the place, read one by one as they are asked for; of a subset no others are read. */
  *inOrder(sort: NodeSort, after: NodePlace | undefined, subset?: NodeSubset): Iterable<StoredNode> {
    const { key, isTurned } = columnOf(sort);
    const by = COLUMNS[key];
    const order = isTurned ? `ORDER BY ${by} DESC, node DESC` : `ORDER BY ${by}, node`;
    const [query, ...values] = subset === undefined ? ["SELECT * FROM nodes"] : rowsOf(subset);
    const beyond = after === undefined ? [] : [after.by, after.node];
    const where = after === undefined ? "" : `WHERE (${by}, node) ${isTurned ? "<" : ">"} (?, ?)`;
    const ordered = `SELECT * FROM (${query}) ${where} ${order}`;
    for (const row of this.#db.iterate<Row>(ordered, ...values, ...beyond)) yield fromRow(row);
  }

  /** Those that are not in the mesh, in the order of their slots: they wait for the operator, or are revoked. */
  notActive(): StoredNode[] {
    return this.#db.read<Row>(`${NOT_ACTIVE} ORDER BY slot`).map(fromRow);
  }

  /** How many are in the mesh and were not seen since then (ms since 1970), at most `most`: each is a row of an index. */
  countUnseen(since: number, most: number): number {
    return this.#db.readOne<{ number: number }>(
      `SELECT count(*) AS number FROM
         (SELECT 1 FROM nodes INDEXED BY active_nodes_by_sight WHERE state = 'active' AND seen_at <= ? LIMIT ?)`,
      since,
      most,
    ).number;
  }

  /** How many of those were set up by hand, and seen after the one time and until the other; `most` are looked at. */
  countKeptUnseen({ after, until }: { after: number; until: number }, most: number): number {
    return this.#db.readOne<{ number: number }>(
      `SELECT count(*) AS number FROM
         (SELECT identity FROM nodes INDEXED BY active_nodes_by_sight
           WHERE state = 'active' AND seen_at > ? AND seen_at <= ? LIMIT ?)
         WHERE identity IS NULL`,
      after,
      until,
      most,
    ).number;
  }

  /** Those of any state that were not seen since then (ms since 1970), in the order of their slots. */
  unseenSince(at: number): StoredNode[] {
    const active = [...this.inOrder("slot", undefined, { kind: "unseen", since: at })];
    const others = this.notActive().filter(({ seenAt }) => seenAt <= at);
    return [...active, ...others].sort((a, b) => a.slot - b.slot);
  }

  /**
   * The slots whose holders are in the mesh: those with a managed route. All of `first`, then the lowest of the others up to `limit` in
   * total; none of `but`. Until the controller has taken a lease, its slot may change.
   */
  activeSlots(limit: number, but: ReadonlySet<number>, first: ReadonlySet<number>): { slot: number }[] {
    const inMesh = "SELECT slot FROM nodes WHERE state = 'active' AND delivered_at IS NOT NULL";
    // Numbers in the query itself: each that json_each gives counts as a row read.
    const numbers = [...first].filter((slot) => !but.has(slot)).join(", ");
    const found = this.#db.read<{ slot: number }>(`${inMesh} AND slot IN (${numbers})`);
    if (found.length >= limit) return found;
    const others = this.#db.read<{ slot: number }>(
      `${inMesh} AND slot NOT IN (SELECT value FROM json_each(?)) ORDER BY slot LIMIT ?`,
      JSON.stringify([...but, ...first]),
      limit - found.length,
    );
    return [...found, ...others];
  }

  /** One that the controller has taken once. */
  someDelivered(): string | undefined {
    return this.#db.read<{ node: string }>(
      "SELECT node FROM nodes WHERE delivered_at IS NOT NULL ORDER BY slot LIMIT 1",
    )[0]?.node;
  }

  /** Who else is in the mesh: those seen since then, the latest first, at most `limit`. An index makes it cheap however many there are. */
  seenBeside(
    node: string,
    since: number,
    limit: number,
  ): { readonly slot: number; readonly node: string; readonly name: string }[] {
    return this.#db.read<Pick<Row, "slot" | "node" | "name">>(
      `SELECT slot, node, name FROM nodes WHERE state = 'active' AND seen_at > ? AND node <> ?
         ORDER BY seen_at DESC LIMIT ?`,
      since,
      node,
      limit,
    );
  }

  /** Whether a server with an agent was heard since then (ms since 1970). */
  isAnyHeard(since: number): boolean {
    return (
      this.#db.read(
        "SELECT 1 AS one FROM nodes WHERE state = 'active' AND seen_at > ? AND identity IS NOT NULL LIMIT 1",
        since,
      ).length > 0
    );
  }

  /** How many nodes wait for the operator, and how many are revoked. */
  countNotActive(): Record<Exclude<StoredState, "active">, number> {
    return this.#db.readOne<{ pending: number; revoked: number }>(
      `SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'revoked') AS revoked
         FROM nodes INDEXED BY nodes_not_active WHERE state <> 'active'`,
    );
  }

  /** How many nodes' last reports are of a failure. */
  countFailed(): number {
    return this.#db.readOne<{ number: number }>(`SELECT count(*) AS number FROM ${FAILED}`).number;
  }
}

function nodeIdOf(row: Pick<Row, "node">): NodeId {
  const node = parseNodeId(row.node);
  if (node === undefined)
    throw new Error(`the table nodes holds ${JSON.stringify(row.node)}, which is no node id`);
  return node;
}

function fromRow(row: Row): StoredNode {
  return {
    node: nodeIdOf(row),
    name: row.name,
    slot: row.slot,
    state: storedState(row.state),
    revokedBy: revokedBy(row.revoked_by),
    identity: row.identity,
    machineId: row.machine_id,
    keyId: row.key_id,
    tokenHashes: texts.parse(JSON.parse(row.token_hashes)),
    leasedAt: row.leased_at,
    seenAt: row.seen_at,
    deliveredAt: row.delivered_at,
    facts: row.facts,
    report: row.report,
    reportedAt: row.reported_at,
    lastRepair: row.last_repair,
    findings: row.findings,
    probes: row.probes,
    address: row.address,
    tags: row.tags === null ? [] : texts.parse(JSON.parse(row.tags)),
    letInAt: row.let_in_at,
    deauthorizedAt: row.deauthorized_at,
    ephemeralMinutes: row.ephemeral_minutes,
  };
}

function storedState(text: string): StoredState {
  // The table's CHECK allows nothing else.
  return text === "pending" || text === "revoked" ? text : "active";
}

function revokedBy(text: string | null): RevokedBy | null {
  return text === "operator" || text === "controller" ? text : null;
}
