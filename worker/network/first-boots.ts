// What servers tell of their first boots, so that the operator finds out where one stands still, without a console of it.
import { type BootProof, isProvenBy } from "../base/boot-proof.ts";
import { isoTime } from "../base/iso-time.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { HOUR_MS } from "../base/time-units.ts";
import { LIMITS } from "../config/limits.ts";
import {
  BOOT_STAGES,
  type BootNews,
  type FirstBoot,
  newBoot,
  saysTheSame,
  withLease,
  withNews,
} from "../lease/first-boot.ts";
import type { FirstBootView } from "../schema/first-boot.ts";
import { type EnrolmentKey, keyState } from "../store/key-store.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import type { NetworkContext } from "./network-context.ts";

/** By what a report is known for a key's: the key's SHA-256 where the key came along, else a proof. */
export type BootSender =
  | { readonly kind: "key"; readonly hash: string }
  | { readonly kind: "proof"; readonly proof: BootProof };

/** What a server tells before it has a node token. */
export interface BootReport {
  readonly sender: BootSender;
  readonly machineId: string;
  readonly name: string | null;
  /** Where it calls from, as the Worker sees it. */
  readonly address: string | null;
  /** Its own clock, s since 1970. */
  readonly clock: number;
  readonly news: BootNews;
}

/** Takes in a report. It counts as no use of the key, and writes what is of that key alone. */
export async function reportFirstBoot(
  net: NetworkContext,
  report: BootReport,
): Promise<Result<true, Refusal>> {
  const hash = await hashOf(net.stores, report.sender);
  net.own?.expect();
  return net.stores.transaction(() => {
    const key = hash === undefined ? undefined : net.stores.keys.byHash(hash);
    if (key === undefined) return err({ problem: "unknown-key" });
    const before = net.stores.firstBoots.get(key.id, report.machineId);
    const refusal = refuseReport(key, before, report, net.now());
    return refusal === undefined ? note(net, key, before, report) : err(refusal);
  });
}

async function hashOf({ keys }: Stores, sender: BootSender): Promise<string | undefined> {
  if (sender.kind === "key") return sender.hash;
  for (const hash of keys.hashesFrom(sender.proof.keyPrefix))
    if (await isProvenBy(hash, sender.proof)) return hash;
  return undefined;
}

/** A server that came in by the key may tell more of itself when that is good for no other one. */
function refuseReport(
  key: EnrolmentKey,
  before: FirstBoot | undefined,
  { sender, clock, news }: BootReport,
  now: number,
): Refusal | undefined {
  const state = keyState(key, now);
  if (state === "revoked") return { problem: "key-revoked" };
  const isIn = before !== undefined && before.node !== null;
  if (state === "expired" && !isIn) return { problem: "key-expired" };
  if (state === "spent" && !isIn) return { problem: "key-spent" };
  // Whoever listened in could send it again; and one that is in has a trusted connection.
  const isLate = isIn || placeOf(clock, news) <= (before?.provenAt ?? -1);
  return sender.kind === "proof" && isLate ? { problem: "unauthorized", reason: "late-proof" } : undefined;
}

/** Where a proof stands among those of its machine, in half seconds by its clock: that it failed comes behind that it ran in that second. */
function placeOf(clock: number, { state }: BootNews): number {
  return 2 * clock + (state === "failed" ? 1 : 0);
}

function note(
  { stores, bootBudget, now }: NetworkContext,
  key: EnrolmentKey,
  before: FirstBoot | undefined,
  { sender, machineId, name, address, clock, news }: BootReport,
): Result<true, Refusal> {
  const at = now();
  const boot = withNews(before ?? newBoot({ keyId: key.id, machineId }, key.createdAt, at), news, at);
  const told = {
    ...boot,
    name: name ?? boot.name,
    address: address ?? boot.address,
    clockAhead: clock - Math.floor(at / 1000),
    provenAt: sender.kind === "proof" ? placeOf(clock, news) : boot.provenAt,
  };
  const isAgain = before !== undefined && saysTheSame(before, told) && at - before.at < LIMITS.bootAgainMs;
  // Of a proof its place is kept: else it could be sent once more.
  if (isAgain && sender.kind === "key") return ok(true);
  // Whoever listened in could have one machine's proof make another one's boot be forgotten, and be taken once more itself.
  const isRefused = before === undefined && sender.kind === "proof" && !hasRoom(stores, key);
  const waitMs = isRefused ? HOUR_MS : bootBudget.take(key.id, at);
  if (waitMs !== undefined)
    return err({ problem: "too-many-requests", by: "key", retryAfter: Math.ceil(waitMs / 1000) });
  if (before === undefined) addBoot(stores, key, told);
  else stores.firstBoots.put(told);
  return ok(true);
}

/** How many boots are kept of a key. */
function mostOf({ maxUses }: EnrolmentKey): number {
  return Math.min(maxUses, LIMITS.firstBootsOfKey);
}

/** Whether one more can be kept without another one being forgotten. */
function hasRoom({ firstBoots }: Stores, key: EnrolmentKey): boolean {
  return firstBoots.countOf(key.id) < mostOf(key) && firstBoots.hasRoom(LIMITS.firstBoots);
}

/** Within a transaction: the oldest that there is no room for are forgotten, the key's and of all. */
function addBoot({ firstBoots }: Stores, key: EnrolmentKey, boot: FirstBoot): void {
  if (firstBoots.countOf(key.id) >= mostOf(key)) firstBoots.forgetOldestOf(key.id);
  firstBoots.put(boot);
  firstBoots.forgetBeyond(LIMITS.firstBoots);
}

/** Within a transaction: the machine has a lease by that key. Of one that told nothing before, nothing is kept. */
export function noteEnrolled(
  stores: Stores,
  { node, keyId, machineId, state }: StoredNode,
  now: number,
): void {
  const boot = keyId === null || machineId === null ? undefined : stores.firstBoots.get(keyId, machineId);
  if (boot === undefined) return;
  const after = withLease(boot, node, state === "active", now);
  if (after !== boot) stores.firstBoots.put(after);
}

/** Within a transaction: takes in what a node that calls with its token tells of its first boot. */
export function noteFromNode(
  { stores, now }: NetworkContext,
  { node, keyId, machineId, state, leasedAt, address }: StoredNode,
  news: BootNews,
): void {
  if (keyId === null || machineId === null) return;
  const isIn = state === "active";
  // How far it has come without being let in is for nobody to say but the operator.
  if (!isIn && news.state !== "failed") return;
  const at = now();
  const before = stores.firstBoots.get(keyId, machineId);
  if (before !== undefined) {
    const after = withNews(withLease(before, node, isIn, at), news, at);
    if (after !== before && !saysTheSame(before, after)) stores.firstBoots.put({ ...after, address });
    return;
  }
  const key = stores.keys.byId(keyId);
  // A failure years later is none of a first boot.
  if (news.state === "failed" || key === undefined) return;
  // By another key than its lease is of, it came in when there was one.
  const since = Math.max(leasedAt, key.createdAt);
  const boot = withLease(newBoot({ keyId, machineId }, key.createdAt, since), node, isIn, since);
  addBoot(stores, key, { ...withNews(boot, news, at), address });
}

/** First boots as they are asked for: of a key, of a node, or all. */
export interface BootQuery {
  readonly key: string | undefined;
  readonly node: string | undefined;
  readonly limit: number;
  /** Those that were added before the one with this id. */
  readonly before: number | undefined;
}

/** A first boot, and its place in the list. */
export interface ListedBoot {
  readonly id: number;
  readonly view: FirstBootView;
}

/** The newest first. */
export function listFirstBoots(
  { stores }: NetworkContext,
  { key, node, limit, before }: BootQuery,
): ListedBoot[] {
  const found =
    node === undefined
      ? stores.firstBoots.list(limit, before, key)
      : bootsOfNode(stores, node).filter(
          ({ id, keyId }) => id < (before ?? id + 1) && keyId === (key ?? keyId),
        );
  return found.map((boot) => ({ id: boot.id, view: viewOf(boot, stores) }));
}

/** That by which it came in last. */
function bootsOfNode({ nodes, firstBoots }: Stores, id: string) {
  const node = nodes.get(id);
  if (node === undefined || node.keyId === null || node.machineId === null) return [];
  const boot = firstBoots.get(node.keyId, node.machineId);
  return boot === undefined ? [] : [boot];
}

function viewOf(boot: FirstBoot, { nodes }: Stores): FirstBootView {
  return {
    key: boot.keyId,
    machineId: boot.machineId,
    node: boot.node,
    name: (boot.node === null ? undefined : nodes.get(boot.node)?.name) ?? boot.name,
    address: boot.address,
    state: boot.state,
    step: boot.step,
    stages: BOOT_STAGES.map((stage) => ({ stage, at: isoTime(boot.stages[stage] ?? null) })),
    clockAhead: boot.clockAhead,
    log: boot.log,
    lastAt: new Date(boot.at).toISOString(),
  };
}
