// The tables rebuilt from the copies of leases in KV, when the object's storage is lost and there is no backup.
import { errorText } from "../base/log.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Config } from "../config/config.ts";
import { uniqueName } from "../lease/name.ts";
import { describePool, hasAddressOf, isLeasable } from "../lease/pool.ts";
import { copyKey, type LeaseCopy, listCopies, readCopies } from "../outbox/lease-copy.ts";
import type { RebuiltView } from "../schema/backup.ts";
import { NO_SNAPSHOT, type SnapshotNode } from "../store/snapshot-store.ts";
import { backupNodeSchema, fewOf } from "./backup.ts";
import { poolFaults } from "./check.ts";
import { type How, type Look, lookAt, occupiedBy, putBack, type Restoring } from "./restore.ts";

/** What no copy holds. */
const LOST = [
  "enrolment keys, and whom each let in: make new ones; servers that were rebuilt need none",
  "admin tokens and webhooks: make new ones (POST /v1/tokens, POST /v1/webhooks)",
  "reservations: reserve the names again (POST /v1/reservations)",
  "quarantines of released slots: one that nobody has at the controller may be leased at once",
  "which nodes were replaced, retired or deleted",
  "which managed routes are Meshboot's: those that are there count as yours, and none of them is withdrawn",
  "the audit log, refused enrolments, reports of servers",
] as const;

type Unusable = RebuiltView["unusable"][number];
type Renamed = RebuiltView["renamed"][number];

/** Leases each node the slot that its copy says, with its name, state, times and tokens. */
export async function rebuild(
  place: Restoring,
  how: Omit<How, "action">,
): Promise<Result<RebuiltView, Refusal>> {
  const { config, stores, leases } = place;
  const occupied = occupiedBy(stores);
  if (occupied !== undefined && !how.dryRun) return err({ problem: "not-empty", ...occupied });
  let copies: ReadonlyMap<string, LeaseCopy | undefined>;
  try {
    copies = await readCopies(leases, await listCopies(leases));
  } catch (error) {
    return err({ problem: "copies-unreachable", fault: errorText(error) });
  }
  const { nodes, unusable, faults } = nodesOf(config, copies);
  if (faults.length > 0) return err({ problem: "backup-unfit", faults: fewOf(faults) });
  const look = await lookAt(place);
  if (!look.ok) return look;
  const single = oneOfEachSlot(config, nodes, look.value);
  const named = oneOfEachName(single.nodes, look.value);
  const snapshot = { ...NO_SNAPSHOT, nodes: named.nodes, madeAt: null };
  const restored = await putBack(place, snapshot, look.value, { ...how, action: "rebuilt" });
  if (!restored.ok) return restored;
  return ok({
    ...restored.value,
    copies: copies.size,
    unusable: [...unusable, ...single.unusable],
    renamed: named.renamed,
    lost: [...LOST],
  });
}

/** The nodes that the copies are of, and the copies that give none. `faults`: why none must be used. */
function nodesOf(
  { networkId, pool }: Config,
  copies: ReadonlyMap<string, LeaseCopy | undefined>,
): { nodes: SnapshotNode[]; unusable: Unusable[]; faults: string[] } {
  const nodes: SnapshotNode[] = [];
  const unusable: Unusable[] = [];
  const faults = new Set<string>();
  for (const [name, copy] of copies) {
    const refuse = (fault: string) => unusable.push({ copy: name, fault });
    if (copy === undefined) refuse("it cannot be read");
    else if (copy.network !== networkId) refuse(`it is of the network ${copy.network}`);
    else if (copyKey(copy.node) !== name) refuse(`it is of node ${copy.node}`);
    else {
      for (const fault of poolFaults(copy.pool, describePool(pool), "a copy is")) faults.add(fault);
      const node = backupNodeSchema.safeParse(nodeOf(copy));
      if (!node.success)
        refuse(node.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
      else if (!isLeasable(pool, node.data.slot)) refuse(`slot ${node.data.slot} is outside the pool`);
      else nodes.push(node.data);
    }
  }
  return { nodes, unusable, faults: [...faults] };
}

/**
 * What a copy says of a node. A server with an agent has no token before the controller was told of its lease; of one that was revoked
 * before, a call may still be on its way that lets it in.
 */
function nodeOf({ version: _v, network: _n, pool: _p, key, ...copy }: LeaseCopy) {
  const isIn = copy.state === "active" && (copy.identity === null || copy.tokenHashes.length > 0);
  const isTold = isIn || copy.state === "revoked";
  return {
    ...copy,
    keyId: key,
    // Older copies do not say by whom: what the operator took out comes back by his word here alone.
    revokedBy: copy.state === "revoked" ? (copy.revokedBy ?? "operator") : null,
    deliveredAt: isTold ? copy.leasedAt : null,
    letInAt: null,
    deauthorizedAt: null,
  };
}

/** Of several copies of one slot one is old: it is that of the node which is in with the slot's address, or else was leased it last. */
function oneOfEachSlot(
  { pool }: Config,
  nodes: readonly SnapshotNode[],
  { members }: Look,
): { nodes: SnapshotNode[]; unusable: Unusable[] } {
  const isIn = ({ node, slot }: SnapshotNode): boolean =>
    members.some(
      (member) => member.node === node && member.authorized && hasAddressOf(pool, member.addresses, slot),
    );
  const unusable: Unusable[] = [];
  const single = [...Map.groupBy(nodes, ({ slot }) => slot).values()].flatMap((all) => {
    if (all.length === 1) return all;
    const [first, ...others] = all.toSorted(
      (a, b) => Number(isIn(b)) - Number(isIn(a)) || b.leasedAt - a.leasedAt || compareText(a.node, b.node),
    );
    if (first === undefined) return [];
    const fault = `slot ${first.slot} is node ${first.node}'s, by its copy and the controller`;
    unusable.push(...others.map(({ node }) => ({ copy: copyKey(node), fault })));
    return [first];
  });
  return { nodes: single, unusable };
}

/** Of several copies of one name one keeps it: that of the node which the controller calls so, or else was leased its slot first. */
function oneOfEachName(
  nodes: readonly SnapshotNode[],
  { members }: Look,
): { nodes: SnapshotNode[]; renamed: Renamed[] } {
  const called = new Map(members.map(({ node, name }) => [node, name]));
  const isCalled = ({ node, name }: SnapshotNode): boolean => called.get(node) === name;
  const taken = new Set(nodes.map(({ name }) => name));
  const renamed: Renamed[] = [];
  const single = [...Map.groupBy(nodes, ({ name }) => name).values()].flatMap((all) => {
    if (all.length === 1) return all;
    const [first, ...others] = all.toSorted(
      (a, b) =>
        Number(isCalled(b)) - Number(isCalled(a)) || a.leasedAt - b.leasedAt || compareText(a.node, b.node),
    );
    return [
      ...(first === undefined ? [] : [first]),
      ...others.map((node) => {
        const { name } = uniqueName(node.name, (text) => taken.has(text), 2);
        taken.add(name);
        renamed.push({ node: node.node, name, was: node.name });
        return { ...node, name };
      }),
    ];
  });
  return { nodes: single, renamed };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
