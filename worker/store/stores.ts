import type { Topic } from "../base/topic.ts";
import { AdminTokenStore } from "./admin-token-store.ts";
import { AgentStore } from "./agent-store.ts";
import { ControllerDocumentStore } from "./controller-document-store.ts";
import { Database } from "./database.ts";
import { EventStore } from "./event-store.ts";
import { FirstBootStore } from "./first-boot-store.ts";
import { FormerNodeStore } from "./former-node-store.ts";
import { HostStore } from "./host-store.ts";
import { KeyStore } from "./key-store.ts";
import { MemoryStore } from "./memory-store.ts";
import { NameStore } from "./name-store.ts";
import { newsOf } from "./news.ts";
import { NodeStore } from "./node-store.ts";
import { OutboxStore } from "./outbox-store.ts";
import { RefusalStore } from "./refusal-store.ts";
import { ReservationStore } from "./reservation-store.ts";
import { RootTokenStore } from "./root-token-store.ts";
import { RouteStore } from "./route-store.ts";
import { SealStore } from "./seal-store.ts";
import { SessionStore } from "./session-store.ts";
import { SlotPages } from "./slot-pages.ts";
import { SlotStore } from "./slot-store.ts";
import { SnapshotStore } from "./snapshot-store.ts";
import { UnheardStore } from "./unheard-store.ts";
import { UserDataStore } from "./user-data-store.ts";
import { WebhookStore } from "./webhook-store.ts";
import { WritePause } from "./write-pause.ts";

/** What waits for its time. */
export interface Waiting {
  /** When the next of it is due (ms since 1970). */
  nextDue(): number | undefined;
}

/** The object's tables. They are read at any time, and written only within a transaction. */
export interface Stores {
  readonly adminTokens: AdminTokenStore;
  readonly agents: AgentStore;
  readonly controllerDocuments: ControllerDocumentStore;
  readonly events: EventStore;
  readonly memory: MemoryStore;
  readonly firstBoots: FirstBootStore;
  readonly formerNodes: FormerNodeStore;
  readonly hosts: HostStore;
  readonly keys: KeyStore;
  readonly names: NameStore;
  readonly nodes: NodeStore;
  readonly outbox: OutboxStore;
  readonly refusals: RefusalStore;
  readonly reservations: ReservationStore;
  readonly rootTokens: RootTokenStore;
  readonly seal: SealStore;
  readonly sessions: SessionStore;
  readonly slots: SlotStore;
  readonly snapshot: SnapshotStore;
  readonly routes: RouteStore;
  readonly unheard: UnheardStore;
  readonly userData: UserDataStore;
  readonly webhooks: WebhookStore;
  /** All that the alarm has to see to. */
  readonly waiting: Waiting;
  readonly writePause: WritePause;
  /** Changes several tables at once, or none. */
  transaction<T>(change: () => T): T;
}

/**
 * The tables over an object's storage; `migrate` must have run. `changed` is called after each transaction with what that
 * changed, before anything else can happen, so that what it writes (the alarm) is committed together with it. `now` gives ms since 1970.
 */
export function openStores(
  storage: DurableObjectStorage,
  changed: (waiting: Waiting, news: ReadonlySet<Topic>) => void,
  now: () => number,
): Stores {
  const db = new Database(storage);
  const memory = new MemoryStore(db);
  const outbox = new OutboxStore(db);
  const webhooks = new WebhookStore(db);
  const waiting: Waiting = { nextDue: () => earlier(outbox.nextDue(), webhooks.nextDue()) };
  const pages = new SlotPages(db);
  const reservations = new ReservationStore(db, pages);
  const nodes = new NodeStore(db, pages);
  const keys = new KeyStore(db);
  const transaction = <T>(change: () => T): T => {
    const { result, tables } = db.transaction(change);
    changed(waiting, newsOf(tables));
    return result;
  };
  const writePause = new WritePause(now, () => transaction(() => memory.rewrite()));
  return {
    adminTokens: new AdminTokenStore(db),
    agents: new AgentStore(db),
    controllerDocuments: new ControllerDocumentStore(db),
    events: new EventStore(db, webhooks),
    memory,
    firstBoots: new FirstBootStore(db),
    formerNodes: new FormerNodeStore(db),
    hosts: new HostStore(db),
    keys,
    names: new NameStore(db, reservations),
    nodes,
    outbox,
    refusals: new RefusalStore(db),
    reservations,
    rootTokens: new RootTokenStore(db),
    seal: new SealStore(db),
    sessions: new SessionStore(db),
    slots: new SlotStore(db, memory, pages, reservations),
    snapshot: new SnapshotStore(db, nodes, keys, memory, pages),
    routes: new RouteStore(memory),
    unheard: new UnheardStore(db),
    userData: new UserDataStore(db),
    webhooks,
    waiting,
    writePause,
    transaction: (change) => writePause.watch(() => transaction(change)),
  };
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
