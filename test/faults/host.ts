import { createHash } from "node:crypto";
import type { Settings } from "../../worker/config/config.ts";
import { parseNodeId } from "../../worker/lease/ids.ts";
import { NetworkObject, type ObjectEnv } from "../../worker/network/network-object.ts";
import type { Platform } from "../../worker/network/platform.ts";
import { CENTRAL_URL, type Central, NETWORK } from "./central.ts";
import type { Clock } from "./clock.ts";
import { copiesIn } from "./copies.ts";
import { keysAtOnce } from "./keys-at-once.ts";
import { type Receivers, SLOW_MS } from "./receivers.ts";
import { Storage } from "./storage.ts";

/** ms until a write is durable, and so until what follows from it may leave the object. */
const GATE_MS = 2;
/** ms after which the platform calls an alarm again that failed: twice as long each time, six times. */
const ALARM_RETRY_MS = 2_000;
const ALARM_RETRIES = 6;

export const SETTINGS = {
  ZEROTIER_NETWORK: NETWORK,
  ZEROTIER_TOKEN: "token-of-the-simulated-central-00",
  ZEROTIER_URL: CENTRAL_URL,
  ADMIN_TOKEN: "mba_operator-of-the-tests-0123",
  ROUTE_LIMIT: "5",
};

/** The object is gone, and with it the answer to the call. */
export class Gone extends Error {}

/** What a call came to: an answer, or none. */
export type Outcome<T> = { readonly answer: T } | { readonly gone: true };

/** One life of the object, from its start to a crash. Nothing that it waits for goes on after that. */
interface Life {
  readonly object: NetworkObject;
  readonly ready: Promise<void>;
  alive: boolean;
}

/** What may be otherwise than usual. */
export interface HostOptions {
  /** Settings besides, or instead of, {@link SETTINGS}. */
  readonly settings?: Partial<Settings>;
  /** ms for which deriving a node id keeps the object's thread; unless said, it takes none. */
  readonly proofMs?: number;
  /** Where webhooks go. */
  readonly receivers?: Receivers;
  /** Hears each answer of the object's. */
  readonly answered?: (answer: unknown) => void;
}

/** Where the object lives: it is started when it is called, can crash at any event, and finds its storage again. */
export class Host {
  readonly #clock: Clock;
  readonly #central: Central;
  readonly #random: () => number;
  readonly #options: HostOptions;
  /** What the deployment's settings say by now, besides. */
  #settings: Partial<Settings> = {};
  readonly storage: Storage;
  /** What is in KV. */
  readonly copies = new Map<string, string>();
  #life: Life | undefined;
  #kvFails = 0;
  #alarmRetries = 0;
  #alarmSetTo: number | undefined;
  /** Calls that are about to leave: each tells the controller that a crash came first. */
  readonly #leaving = new Set<() => void>();
  /** Alarms that the platform loses from now on. */
  #alarmsLost = 0;
  #isStarting = false;

  constructor(clock: Clock, central: Central, random: () => number, options: HostOptions = {}) {
    this.#options = options;
    this.#clock = clock;
    this.#central = central;
    this.#random = random;
    this.storage = new Storage(() => this.#clock.after(GATE_MS, () => this.#commit()));
  }

  /** Calls the object, as the Worker does. */
  async call<T>(work: (object: NetworkObject) => T | Promise<T>): Promise<Outcome<T>> {
    const life = this.#live();
    return new Promise<Outcome<T>>((resolve, reject) => {
      this.#waiting.set(life, [...(this.#waiting.get(life) ?? []), () => resolve({ gone: true })]);
      life.ready
        .then(() => work(life.object))
        .then(
          // The answer leaves when what was written is durable.
          (answer) =>
            this.#later(life, GATE_MS, () => {
              this.#options.answered?.(answer);
              resolve({ answer });
            }),
          reject,
        );
    });
  }
  readonly #waiting = new Map<Life, (() => void)[]>();

  /** The object is thrown away with all that it has in memory; what is not durable yet is lost, or has just become so. */
  crash(loses: boolean): void {
    this.#clock.note(`the object crashes${loses ? " and loses what was not durable" : ""}`);
    if (loses) this.storage.rollBack();
    else this.storage.commit();
    this.#watchAlarm();
    const life = this.#life;
    if (life === undefined) return;
    life.alive = false;
    for (const swallow of this.#leaving) swallow();
    this.#leaving.clear();
    this.#life = undefined;
    for (const gone of this.#waiting.get(life) ?? []) gone();
    this.#waiting.delete(life);
  }

  /** The operator deploys the Worker with these settings, beside those that it had at first: the object starts anew. */
  deploy(settings: Partial<Settings>): void {
    this.#settings = settings;
    this.crash(false);
  }

  /** The object's storage is gone, and the object with it. */
  loseStorage(): void {
    this.#clock.note("the object's storage is lost");
    this.crash(true);
    this.storage.lose();
    this.#watchAlarm();
  }

  /** KV refuses the next so many writes. */
  failCopies(times: number): void {
    this.#kvFails = times;
  }

  /** The platform loses the alarm that is set, and calls nobody. */
  loseAlarm(): void {
    this.#alarmsLost = 1;
  }

  #commit(): void {
    this.storage.commit();
    this.#watchAlarm();
  }

  /** Calls the alarm when the time has come to which storage says it is set. */
  #watchAlarm(): void {
    const at = this.storage.alarm;
    if (at === this.#alarmSetTo) return;
    this.#alarmSetTo = at;
    if (at !== undefined)
      this.#clock.after(at - this.#clock.now, () => {
        if (this.#alarmSetTo === at) void this.#goOff();
      });
  }

  async #goOff(): Promise<void> {
    this.storage.alarm = undefined;
    this.#commit();
    if (this.#alarmsLost > 0) {
      this.#alarmsLost -= 1;
      return;
    }
    let failed = false;
    try {
      failed = "gone" in (await this.call((object) => object.alarm()));
    } catch {
      failed = true;
    }
    if (!failed) {
      this.#alarmRetries = 0;
      return;
    }
    if (this.#alarmRetries++ >= ALARM_RETRIES) return;
    this.#clock.after(ALARM_RETRY_MS * 2 ** (this.#alarmRetries - 1), () => void this.#goOff());
  }

  #live(): Life {
    if (this.#life !== undefined) return this.#life;
    let ready: Promise<void> = Promise.resolve();
    const later = <T>(value: T): Promise<T> =>
      new Promise((resolve) => this.#later(life, 0, () => resolve(value)));
    const state = {
      storage: this.storage.view(later),
      id: { name: NETWORK },
      getWebSockets: () => [],
      blockConcurrencyWhile: (start: () => Promise<void>) => {
        this.#isStarting = true;
        ready = start().finally(() => {
          this.#isStarting = false;
        });
        return ready;
      },
    };
    const env: ObjectEnv = {
      ...{ ...SETTINGS, ...this.#options.settings, ...this.#settings },
      LEASES: this.#leases(later),
    };
    // The life is made with the object, whose constructor needs it already.
    const life: Life = { alive: true } as Life;
    const object = new NetworkObject(
      // Of the platform's state the object uses no more.
      state as unknown as DurableObjectState,
      env,
      this.#platform(life),
    );
    Object.assign(life, { object, ready });
    this.#life = life;
    return life;
  }

  /** Something that happens in a life of the object, if it lasts so long. */
  #later(life: Life, ms: number, happen: () => void): void {
    this.#clock.after(ms, () => {
      if (!life.alive) return;
      if (ms === GATE_MS) this.#commit();
      happen();
    });
  }

  #leases(later: <T>(value: T) => Promise<T>): KVNamespace {
    return copiesIn(
      this.copies,
      async (_, change) => {
        await later(undefined);
        if (this.#kvFails > 0) {
          this.#kvFails -= 1;
          throw new Error("KV put() limit exceeded for the day");
        }
        change();
      },
      () => later(undefined),
    );
  }

  #platform(life: Life): Platform {
    return {
      now: () => this.#clock.now,
      sleep: (ms) => new Promise((resolve) => this.#later(life, ms, resolve)),
      timeout: (ms) => {
        const control = new AbortController();
        this.#later(life, ms, () => control.abort());
        return control.signal;
      },
      random: this.#random,
      // How long each call travels must not hang on what the object's start makes of bytes.
      randomBytes: (bytes) =>
        bytes.map((_, at) => (this.#isStarting ? at + 1 : Math.floor(this.#random() * 256))),
      fetch: (url, { method, body, signal }) => this.#fetch(life, { method, url, body, signal }),
      post: (url, { headers, body, signal }) => this.#post(life, url, headers, body, signal),
      deriveNodeId: async (publicKey) => {
        const { proofMs } = this.#options;
        if (proofMs !== undefined) await new Promise<void>((resolve) => this.#later(life, proofMs, resolve));
        return parseNodeId(Buffer.from(publicKey.slice(0, 5)).toString("hex"));
      },
      log: (event, fields) => this.#clock.note(`  ${event} ${JSON.stringify(fields ?? {})}`),
    };
  }

  #post(
    life: Life,
    url: string,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): ReturnType<Platform["post"]> {
    const { receivers } = this.#options;
    if (receivers === undefined) throw new Error(`nobody receives at ${url}`);
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")));
      const travel = (): number => 20 + Math.floor(this.#random() * 200);
      this.#later(life, GATE_MS, () => {
        const { mood } = receivers;
        receivers.left(url, this.#clock.now);
        this.#clock.note(`-> POST ${url} ${mood} ${body}`);
        this.#clock.after(travel(), () => {
          if (mood === "away") return this.#later(life, travel(), () => reject(new TypeError("no route")));
          const status = receivers.arrive(url, headers, body, mood);
          this.#later(life, travel() + (mood === "slow" ? SLOW_MS : 0), () => {
            if (mood === "loses") return reject(new TypeError("connection lost"));
            if (!signal.aborted) resolve({ status, headers: new Headers(), body: null });
          });
        });
      });
    });
  }

  #fetch(
    life: Life,
    {
      method,
      url,
      body,
      signal,
    }: { method: string; url: string; body: string | undefined; signal: AbortSignal },
  ): ReturnType<Platform["fetch"]> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")));
      const travel = (): number => 20 + Math.floor(this.#random() * 200);
      const swallow = (): void => this.#central.swallow(method, url, body);
      this.#leaving.add(swallow);
      this.#later(life, GATE_MS, () => {
        this.#leaving.delete(swallow);
        const { call, fault } = this.#central.leave(method, url, body);
        const shown = `${method} ${call.path}`;
        this.#clock.note(
          `-> ${shown} ${body ?? ""}${fault === undefined ? "" : ` ${JSON.stringify(fault)}`}`,
        );
        if (fault?.what === "silence") return;
        const late = fault?.what === "late" || fault?.what === "queued" ? (fault.ms ?? 0) : 0;
        // What has left the object arrives, whatever becomes of the object.
        this.#clock.after(travel() + late, () => {
          const { answer, told } = this.#central.arrive(call, fault);
          this.#clock.note(`<- ${shown} ${answer.status}`);
          if (fault?.what === "late") return;
          const wait = fault?.what === "slow" ? (fault.ms ?? 0) : 0;
          this.#later(life, travel() + wait, () => {
            if (fault?.what === "lost") return reject(new TypeError("connection lost"));
            if (signal.aborted) return;
            told();
            resolve({
              status: answer.status,
              headers: new Headers(answer.headers),
              text: async () => answer.text,
            });
          });
        });
      });
    });
  }
}

/** The platform's digest takes a thread and so real time; this one is the same without, and so is what it does with keys. */
export function digestAtOnce(): void {
  keysAtOnce();
  crypto.subtle.digest = async (algorithm, data) => {
    const name = String(algorithm).replace("-", "").toLowerCase();
    const bytes =
      data instanceof ArrayBuffer
        ? new Uint8Array(data)
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const digest = createHash(name).update(bytes).digest();
    return new Uint8Array(digest).buffer;
  };
}
