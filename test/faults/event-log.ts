import { z } from "zod";
import { FORMER } from "../../worker/lease/deed.ts";
import type { Storage } from "./storage.ts";

const tagsSchema = z.array(z.string());

/** A row of the log. Null is what does not fit the action, of name, slot and state too. */
interface Event {
  readonly id: number;
  readonly at: number;
  readonly who: string;
  readonly action: string;
  readonly node: string | null;
  readonly name: string;
  readonly slot: number;
  readonly state: string;
  readonly key_id: string | null;
  readonly token_id: string | null;
  readonly webhook: string | null;
  readonly was: string | null;
  readonly why: string | null;
}

/** A lease as the log tells it. `key`: with which it came in last. Undefined where the log does not say it. */
interface Lease {
  readonly name: string;
  readonly slot: number;
  readonly state: string;
  readonly revokedBy: string | null | undefined;
  readonly key: string | null | undefined;
  /** Its tags before they were changed last, if ever: what they are by now the log does not say. */
  readonly formerTags: string | undefined;
}

/** What a log comes to that is read from its beginning. */
class Replay {
  /** Reserved names by their slots. */
  readonly reservations = new Map<number, string>();
  readonly leases = new Map<string, Lease>();
  /** The keys that there are: whether they were taken back. */
  readonly keys = new Map<string, boolean>();
  /** The same of the admin tokens; undefined where the log does not say it. */
  readonly tokens = new Map<string, boolean | undefined>();
  readonly webhooks = new Set<string>();
  readonly faults: string[] = [];
  /** Whether leases, reservations and keys were put back, which one event says of them all: of these the log says nothing before. */
  isOpen = false;

  /** One more event. Each must say of what was before what the events before it said, and change something. */
  take(event: Event): void {
    if (!this.#follows(event)) this.faults.push(`the log does not follow: ${JSON.stringify(event)}`);
  }

  #follows(event: Event): boolean {
    const { action, node, key_id: key } = event;
    if (action === "restored" || action === "rebuilt") {
      this.isOpen = true;
      return node === null && this.leases.size + this.keys.size + this.reservations.size === 0;
    }
    if (action.startsWith("key-")) return this.#ofKey(event, key ?? "");
    if (action.startsWith("token-")) return this.#ofToken(action, event.token_id ?? "");
    if (action.startsWith("reserv")) return this.#ofReservation(event);
    if (action.startsWith("webhook-")) return this.#ofWebhook(action, event.webhook ?? "");
    // Which session it was the log does not say, and of one that ended by time nothing.
    if (action.startsWith("session-")) return node === null && event.token_id !== null;
    return node !== null && this.#ofLease(event, node, this.leases.get(node));
  }

  #ofKey({ action, slot, name }: Event, key: string): boolean {
    const before = this.keys.get(key);
    if (action === "key-deleted") this.keys.delete(key);
    else this.keys.set(key, action === "key-revoked");
    if (action !== "key-made" && before === undefined) return this.isOpen;
    if (action === "key-made") {
      const isTold = this.reservations.has(slot) || !this.isOpen;
      return before === undefined && (!isTold || (this.reservations.get(slot) ?? null) === name);
    }
    return action === "key-deleted" ? before !== undefined : action === "key-revoked" && before === false;
  }

  #ofToken(action: string, token: string): boolean {
    if (action === "token-deleted") return this.tokens.delete(token);
    // The one that the settings had before, whichever had that name until then.
    if (action === "token-rotated" && token === FORMER) {
      this.tokens.set(token, false);
      return true;
    }
    const isThere = this.tokens.has(token);
    const isRevoked = this.tokens.get(token) === true;
    // One that is rotated is good for some hours yet, or for none.
    this.tokens.set(token, action === "token-rotated" ? undefined : action === "token-revoked");
    return action === "token-made" ? !isThere : isThere && !isRevoked;
  }

  #ofReservation({ action, slot, name }: Event): boolean {
    const before = this.reservations.get(slot);
    if (action === "reserved") this.reservations.set(slot, name);
    else this.reservations.delete(slot);
    if (action === "reserved") return before === undefined;
    return action === "reservation-dropped" && (before === name || (before === undefined && this.isOpen));
  }

  #ofWebhook(action: string, webhook: string): boolean {
    if (action === "webhook-deleted") return this.webhooks.delete(webhook);
    const isNew = !this.webhooks.has(webhook);
    this.webhooks.add(webhook);
    return isNew === (action === "webhook-made");
  }

  #ofLease(event: Event, node: string, before: Lease | undefined): boolean {
    const { who, action, name, slot, state, key_id: key, was, why } = event;
    const isRevoked = state === "revoked";
    const after = {
      ...{ name, slot, state, revokedBy: isRevoked ? before?.revokedBy : null },
      key: action === "enrolled" || before === undefined ? key : before.key,
      formerTags: action === "tagged" ? (was ?? "") : before?.formerTags,
    };
    if (action === "released") this.leases.delete(node);
    else this.leases.set(node, after);
    if (action === "renamed" && this.reservations.has(slot)) this.reservations.set(slot, name);
    if (before === undefined && this.isOpen && (action !== "assigned" || why !== null)) {
      if (action === "revoked") this.leases.set(node, { ...after, revokedBy: who, key: undefined });
      else if (action !== "released") this.leases.set(node, { ...after, key: undefined });
      return true;
    }
    if (before === undefined) {
      const isIn = state === "active" || (state === "pending" && action === "enrolled");
      return why === null && isIn && ["enrolled", "assigned", "adopted"].includes(action);
    }
    const isSameSlot = slot === before.slot;
    const isSame = name === before.name && isSameSlot && state === before.state;
    const isSameButState = name === before.name && isSameSlot;
    switch (action) {
      case "enrolled":
        return isSame && !isRevoked && (why === "first-proof" || (why !== null && key !== before.key));
      case "assigned":
        return isSame && why === "machine-named";
      case "renamed":
        return was === before.name && name !== was && isSameSlot && state === before.state;
      case "tagged":
        return isSame && after.formerTags !== before.formerTags;
      case "slot-changed":
        return was === String(before.slot) && !isSameSlot && name === before.name && state === before.state;
      case "approved":
        // Of one whose key was taken back it is forgotten by which it came in, so it may come by the same anew.
        if (before.state === "revoked") this.leases.set(node, { ...after, key: undefined });
        // Of an active one too: his word is newer then than what he said at the controller before.
        // Who took one out before the storage was lost is not known.
        return (
          isSameButState &&
          state === "active" &&
          (who === "operator" || before.revokedBy === "controller" || before.revokedBy === undefined)
        );
      case "revoked":
        this.leases.set(node, { ...after, revokedBy: who });
        return isSameButState && isRevoked && before.revokedBy !== who && before.revokedBy !== "operator";
      case "released":
        return isSameButState && state === "released";
      default:
        return false;
    }
  }
}

/** Where the audit log and the tables do not say the same: an event without a change, or a change without an event. */
export function faultsOfLog(storage: Storage): string[] {
  const replay = new Replay();
  const { faults } = replay;
  const events = storage.rows<Event>("SELECT * FROM events ORDER BY id");
  for (const [at, event] of events.entries()) {
    if (event.id !== at + 1) faults.push(`event ${at + 1} has the number ${event.id}`);
    if (event.at < (events[at - 1]?.at ?? 0)) faults.push(`event ${event.id} is older than the one before`);
    replay.take(event);
  }
  const nodes = storage.rows<
    Omit<Lease, "key" | "formerTags"> & { node: string; key: string | null; tags: string | null }
  >("SELECT node, name, slot, state, revoked_by AS revokedBy, key_id AS key, tags FROM nodes");
  for (const { node, key, tags, ...lease } of nodes) {
    const known = replay.leases.get(node);
    replay.leases.delete(node);
    if (known === undefined && replay.isOpen) continue;
    const { key: told, formerTags, ...rest } = known ?? { key: null };
    if (formerTags !== undefined && tagsSchema.parse(JSON.parse(tags ?? "[]")).join(" ") === formerTags)
      faults.push(
        `the log says that ${node} was tagged otherwise than ${formerTags}, as the tables say still`,
      );
    const said = { ...rest, ...(known?.revokedBy === undefined && { revokedBy: lease.revokedBy }) };
    if (JSON.stringify(said) !== JSON.stringify(lease))
      faults.push(`the log says ${JSON.stringify(said)} of ${node}, and the tables ${JSON.stringify(lease)}`);
    if (key !== null && told !== undefined && key !== told)
      faults.push(`the log says that ${node} came with ${told}, and the tables with ${key}`);
  }
  for (const node of replay.leases.keys()) faults.push(`the log gives ${node} a lease, and the tables none`);
  const reservations = storage.rows<{ slot: number; name: string }>("SELECT slot, name FROM reservations");
  for (const { slot, name } of reservations) {
    if (replay.isOpen && !replay.reservations.has(slot)) continue;
    if (replay.reservations.get(slot) !== name) faults.push(`the log does not say that ${name} is reserved`);
    replay.reservations.delete(slot);
  }
  for (const name of replay.reservations.values())
    faults.push(`the log says that ${name} is reserved, and the tables do not`);
  const secrets = [
    { kind: "key", told: replay.keys, table: "keys" },
    { kind: "admin token", told: replay.tokens, table: "admin_tokens" },
  ];
  for (const { kind, told, table } of secrets) {
    const rows = storage.rows<{ id: string; revoked: number }>(
      `SELECT id, revoked_at IS NOT NULL AS revoked FROM ${table}`,
    );
    for (const { id, revoked } of rows) {
      if (replay.isOpen && !told.has(id)) continue;
      const isRevoked = revoked === 1;
      if (!told.has(id) || (told.get(id) ?? isRevoked) !== isRevoked)
        faults.push(`the log does not say of the ${kind} ${id} what it is`);
      told.delete(id);
    }
    for (const id of told.keys()) faults.push(`the log has the ${kind} ${id}, and the tables have not`);
  }
  const webhooks = storage.rows<{ id: string }>("SELECT id FROM webhooks").map(({ id }) => id);
  if (JSON.stringify([...replay.webhooks].sort()) !== JSON.stringify(webhooks.sort()))
    faults.push(
      `the log says that there are the webhooks ${[...replay.webhooks]}, and the tables ${webhooks}`,
    );
  return faults;
}
