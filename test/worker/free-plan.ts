import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { sha256Hex } from "../../worker/base/secret.ts";
import { type NodeId, parseNodeId } from "../../worker/lease/ids.ts";
import type { Enrolled } from "../../worker/network/enrol-node.ts";
import { NetworkObject } from "../../worker/network/network-object.ts";
import { workersPlatform } from "../../worker/network/platform.ts";
import { copiesIn } from "../faults/copies.ts";
import { SimulatedCentral } from "./simulated-central.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A midnight in 2027. */
const BEGIN = Date.UTC(2027, 0, 4);

/** ms after which the platform may throw away what an object has in memory, when nobody calls it. */
const EVICTED_MS = 10 * SECOND;

/** ms after which the platform calls an alarm again that failed: twice as long each time, six times. */
const ALARM_RETRY_MS = 2 * SECOND;
const ALARM_RETRIES = 6;

/** ms that an alarm takes at least: one that is set again at once would otherwise stop the clock. */
const ALARM_MS = 100;

/** What the platform says when a day's quota is used up. */
const ROWS_TEXT = "Exceeded allowed rows written in Durable Objects free tier.";
const KV_USED_UP = "KV put() limit exceeded for the day.";

/** What was used since it was last looked at. */
export interface Usage {
  /** Calls of the object: by RPC, and its alarms. */
  readonly requests: number;
  readonly alarms: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Writes to KV that it took. */
  readonly kvWrites: number;
  /** Calls to the controller. */
  readonly controllerCalls: number;
}

/** A server, by its number. */
export function serverId(number: number): NodeId {
  const node = parseNodeId(`5e1${String(number).padStart(7, "0")}`);
  if (node === undefined) throw new Error(`${number} makes no node id`);
  return node;
}

/** What storage says to a statement that it refuses. */
type Refusal = (query: string) => string | undefined;

/** How storage refuses when the day's rows are used up. */
export const ROWS_USED_UP = {
  /** Changes of rows alone. */
  writes: (query) => (/^\s*(INSERT|UPDATE|DELETE)/i.test(query) ? ROWS_TEXT : undefined),
  /** Whatever it is asked, as was seen on the platform. */
  everything: () => ROWS_TEXT,
} as const satisfies Record<string, Refusal>;

/**
 * The network object in workerd, whose SQLite counts rows as Cloudflare does, on a clock of the test's own: on a platform that
 * counts what the free plan limits, refuses what a test says, and forgets the object as soon as nobody calls it.
 */
export class FreePlan {
  /** Whom each server was last told to probe. */
  readonly #probe = new Map<number, readonly NodeId[]>();
  now = BEGIN;
  readonly central = new SimulatedCentral(env.ZEROTIER_URL, env.ZEROTIER_TOKEN, env.ZEROTIER_NETWORK);
  /** What KV holds. */
  readonly copies = new Map<string, string>();
  /** Writes that KV takes a day; how many of them are left today. */
  kvQuota = Number.POSITIVE_INFINITY;
  #kvDay = -1;
  #kvLeft = 0;
  /** What KV says to a write of that key, if it does not take it. */
  kvFault: (key: string) => string | undefined = () => undefined;
  /** What the object's storage refuses, and whether it still lets an alarm be set. */
  refuses: Refusal = () => undefined;
  takesAlarms = true;
  alarmAt: number | null = null;
  #alarmRetries = 0;
  readonly #state: DurableObjectState;
  #object: NetworkObject | undefined;
  #calledAt = BEGIN;
  #used = { requests: 0, alarms: 0, rowsRead: 0, rowsWritten: 0, kvWrites: 0, controllerCalls: 0 };
  #cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];

  private constructor(state: DurableObjectState) {
    this.#state = state;
  }

  /** Runs a test in the network's object. */
  static async run(test: (plan: FreePlan) => Promise<void>): Promise<void> {
    let plan: FreePlan | undefined;
    vi.spyOn(Date, "now").mockImplementation(() => plan?.now ?? BEGIN);
    await runInDurableObject(env.NETWORK.getByName(env.ZEROTIER_NETWORK), async (_, state) => {
      plan = new FreePlan(state);
      plan.#meter();
      await test(plan);
    });
  }

  /** Calls the object, as the Worker does. */
  async call<T>(work: (object: NetworkObject) => T | Promise<T>): Promise<T> {
    this.#used.requests += 1;
    return this.#inObject(work);
  }

  /** Enrols a server with that key; gives what it was answered, and its token's hash. */
  async enrol(number: number, keyHash: string): Promise<{ enrolled: Enrolled; tokenHash: string }> {
    const node = serverId(number);
    const result = await this.call((object) =>
      object.enrol({
        keyHash,
        node,
        identity: `${node}:0:${"0".repeat(128)}`,
        publicKey: Uint8Array.from({ length: 64 }, (_, at) =>
          Number.parseInt(node.slice(2 * at, 2 * at + 2) || "0", 16),
        ),
        name: `web${number}`,
        machineId: String(number).padStart(64, "0"),
        localPrefixes: [],
        address: "192.0.2.1",
        facts: '{"agent":"0.1.0"}',
      }),
    );
    if (!result.ok) throw new Error(`${node} was refused: ${JSON.stringify(result.error)}`);
    const { token } = result.value;
    if (token === undefined) throw new Error(`${node} has no token`);
    return { enrolled: result.value, tokenHash: await sha256Hex(token) };
  }

  /** A server reports, with probes of those whom it was last told to probe. */
  async beat(number: number, tokenHash: string): Promise<void> {
    const report = { state: "ok", repaired: [] };
    const family = { answers: true, rttMs: 12.3, loss: 0, mtu: 1500 };
    const pairs = (this.#probe.get(number) ?? []).map((to) => ({
      ...{ to, ipv4: family, ipv6: family, path: "direct" as const },
    }));
    const result = await this.call((object) =>
      object.heartbeat({
        node: serverId(number),
        tokenHash,
        address: "192.0.2.1",
        report: JSON.stringify(report),
        repaired: report.repaired,
        findings: null,
        facts: '{"agent":"0.1.0"}',
        probes: { ...(pairs.length > 0 && { secondsAgo: 60 }), fault: null, pairs },
      }),
    );
    if (!result.ok) throw new Error(`${number} was refused: ${JSON.stringify(result.error)}`);
    const asked = result.value.probe ?? [];
    this.#probe.set(
      number,
      asked.flatMap(({ node }) => parseNodeId(node) ?? []),
    );
  }

  /** A key that lets in as many as want to; gives its hash. */
  async key(): Promise<string> {
    const terms = { expiresIn: 86_400 * 365, maxUses: 100_000, allowOverlap: false, approval: false };
    const none = { reservation: null, note: null, names: null, ephemeralMinutes: null, userData: null };
    const made = await this.call((object) =>
      object.createKey({ ...terms, ...none, takeover: false, tags: [] }, { who: "operator", id: "root" }),
    );
    if (!made.ok) throw new Error(made.error.problem);
    return sha256Hex(made.value.key);
  }

  /** Lets time pass, with the alarms that go off in it. */
  async until(time: number): Promise<void> {
    while (this.alarmAt !== null && this.alarmAt <= time) {
      this.now = Math.max(this.now, this.alarmAt);
      await this.#goOff();
    }
    this.now = Math.max(this.now, time);
  }

  async pass(ms: number): Promise<void> {
    await this.until(this.now + ms);
  }

  /** What was used since this was last asked. */
  used(): Usage {
    const used = { ...this.#used, controllerCalls: this.central.calls.length };
    this.central.calls.length = 0;
    this.#used = { requests: 0, alarms: 0, rowsRead: 0, rowsWritten: 0, kvWrites: 0, controllerCalls: 0 };
    return used;
  }

  /** KV takes its quota of today once more, as when the plan changes. */
  renewKv(): void {
    this.#kvDay = -1;
  }

  /** How many rows wait in the outbox. */
  waiting(kind: "member" | "routes" | "copy"): number {
    return this.#state.storage.sql
      .exec<{ waiting: number }>("SELECT count(*) AS waiting FROM outbox WHERE kind = ?", kind)
      .one().waiting;
  }

  async #inObject<T>(work: (object: NetworkObject) => T | Promise<T>): Promise<T> {
    if (this.now - this.#calledAt > EVICTED_MS) this.#object = undefined;
    try {
      const object = this.#object ?? (await this.#start());
      this.#object = object;
      return await work(object);
    } finally {
      this.#calledAt = this.now;
      this.#tally();
    }
  }

  async #start(): Promise<NetworkObject> {
    let started: Promise<unknown> = Promise.resolve();
    // In place of the platform's: it would end the test's own object when the start fails.
    this.#state.blockConcurrencyWhile = (start) => {
      const begun = start();
      started = begun;
      begun.catch(() => {});
      return begun;
    };
    const object = new NetworkObject(
      this.#state,
      { ...env, ZEROTIER_RANGE: "10.147.0.0/16", DOCKER_POOL: "172.16.0.0/12", LEASES: this.#leases() },
      {
        ...workersPlatform,
        now: () => this.now,
        sleep: async (ms) => {
          this.now += ms;
        },
        random: () => 0.5,
        timeout: () => new AbortController().signal,
        fetch: (url, init) => this.central.fetch(url, init),
        deriveNodeId: async (publicKey) =>
          parseNodeId([...publicKey.slice(0, 5)].map((byte) => byte.toString(16).padStart(2, "0")).join("")),
        log: () => {},
      },
    );
    await started;
    return object;
  }

  async #goOff(): Promise<void> {
    this.alarmAt = null;
    this.#used.requests += 1;
    this.#used.alarms += 1;
    this.now += ALARM_MS;
    try {
      await this.#inObject((object) => object.alarm());
      this.#alarmRetries = 0;
    } catch {
      if (this.#alarmRetries < ALARM_RETRIES)
        this.alarmAt = this.now + ALARM_RETRY_MS * 2 ** this.#alarmRetries;
      this.#alarmRetries += 1;
    }
  }

  #meter(): void {
    const { storage } = this.#state;
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (query, ...values) => {
      const refusal = this.refuses(query);
      if (refusal !== undefined) throw new Error(refusal);
      const cursor = exec<Record<string, SqlStorageValue>>(query, ...values);
      this.#cursors.push(cursor);
      return cursor as never;
    };
    storage.getAlarm = async () => this.alarmAt;
    storage.setAlarm = async (at) => {
      if (!this.takesAlarms) throw new Error(ROWS_TEXT);
      this.#used.rowsWritten += 1;
      this.alarmAt = Number(at);
    };
  }

  #tally(): void {
    for (const { rowsRead, rowsWritten } of this.#cursors) {
      this.#used.rowsRead += rowsRead;
      this.#used.rowsWritten += rowsWritten;
    }
    this.#cursors = [];
  }

  #leases(): KVNamespace {
    return copiesIn(this.copies, async (key, change) => {
      const day = Math.floor(this.now / DAY);
      if (day !== this.#kvDay) this.#kvLeft = this.kvQuota;
      this.#kvDay = day;
      const fault = this.kvFault(key);
      if (fault !== undefined) throw new Error(fault);
      if (this.#kvLeft <= 0) throw new Error(KV_USED_UP);
      this.#kvLeft -= 1;
      this.#used.kvWrites += 1;
      change();
    });
  }
}
