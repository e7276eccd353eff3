// The nodes and their leases. One row a node; `slot` and `name` are unique by the table itself.
import { z } from "zod";
import { parseNodeId } from "../lease/ids.ts";
import type { Database } from "./database.ts";
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
};

const hashes = z.array(z.string());

export class NodeStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(node: string): StoredNode | undefined {
    return this.#db.read<Row>("SELECT * FROM nodes WHERE node = ?", node).map(fromRow)[0];
  }

  /** Writes the whole row, new or known. */
  put(node: StoredNode): void {
    this.#db.write(
      `INSERT INTO nodes (node, name, slot, state, revoked_by, identity, machine_id, key_id, token_hashes,
         leased_at, seen_at, delivered_at, facts, report, reported_at, last_repair)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (node) DO UPDATE SET name = excluded.name, slot = excluded.slot, state = excluded.state,
         revoked_by = excluded.revoked_by, identity = excluded.identity, machine_id = excluded.machine_id,
         key_id = excluded.key_id, token_hashes = excluded.token_hashes, leased_at = excluded.leased_at,
         seen_at = excluded.seen_at, delivered_at = excluded.delivered_at,
         facts = excluded.facts, report = excluded.report, reported_at = excluded.reported_at,
         last_repair = excluded.last_repair`,
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
    );
  }

  /** The controller took the node's member at that time. */
  delivered(node: string, at: number): void {
    this.#db.write("UPDATE nodes SET delivered_at = ? WHERE node = ?", at, node);
  }

  remove(node: string): void {
    this.#db.write("DELETE FROM nodes WHERE node = ?", node);
  }

  /** Nodes by id, at most `limit`, those after `after`. */
  list(limit: number, after: string | undefined): StoredNode[] {
    return this.#db
      .read<Row>("SELECT * FROM nodes WHERE node > ? ORDER BY node LIMIT ?", after ?? "", limit)
      .map(fromRow);
  }

  all(): StoredNode[] {
    return this.#db.read<Row>("SELECT * FROM nodes ORDER BY slot").map(fromRow);
  }

  /** The node that has the name. */
  holderOfName(name: string): string | undefined {
    return this.#db.read<{ node: string }>("SELECT node FROM nodes WHERE name = ?", name)[0]?.node;
  }

  /** The slots in use. */
  slots(): Set<number> {
    const rows = this.#db.read<{ slot: number }>("SELECT slot FROM nodes");
    return new Set(rows.map(({ slot }) => slot));
  }

  /** The slots whose holders are in the mesh: those with a managed route. */
  activeSlots(): { slot: number }[] {
    return this.#db.read<{ slot: number }>("SELECT slot FROM nodes WHERE state = 'active' ORDER BY slot");
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

  /** How many nodes there are in each state. */
  counts(): Record<StoredState, number> {
    const counts = { pending: 0, active: 0, revoked: 0 };
    const rows = this.#db.read<{ state: string; number: number }>(
      "SELECT state, count(*) AS number FROM nodes GROUP BY state",
    );
    for (const { state, number } of rows) counts[storedState(state)] = number;
    return counts;
  }
}

function fromRow(row: Row): StoredNode {
  const node = parseNodeId(row.node);
  if (node === undefined)
    throw new Error(`the table nodes holds ${JSON.stringify(row.node)}, which is no node id`);
  return {
    node,
    name: row.name,
    slot: row.slot,
    state: storedState(row.state),
    revokedBy: revokedBy(row.revoked_by),
    identity: row.identity,
    machineId: row.machine_id,
    keyId: row.key_id,
    tokenHashes: hashes.parse(JSON.parse(row.token_hashes)),
    leasedAt: row.leased_at,
    seenAt: row.seen_at,
    deliveredAt: row.delivered_at,
    facts: row.facts,
    report: row.report,
    reportedAt: row.reported_at,
    lastRepair: row.last_repair,
  };
}

function storedState(text: string): StoredState {
  // The table's CHECK allows nothing else.
  return text === "pending" || text === "revoked" ? text : "active";
}

function revokedBy(text: string | null): RevokedBy | null {
  return text === "operator" || text === "controller" ? text : null;
}
