import { abortAllDurableObjects, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { NetworkObject } from "../../worker/network/network-object.ts";
import { identity, sign } from "./identities.ts";
import { SimulatedCentral } from "./simulated-central.ts";

/** Where the Worker of the tests is reached; the host is what servers sign. */
export const ORIGIN = "https://mesh.example.com";
export const ADMIN = env.ADMIN_TOKEN;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** ms for which strangers are told what another one was. */
const LOOK = 10_000;

/** An answer with its body read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The tests look into many kinds of documents; what is not there is undefined.
  readonly json: Document;
}

/** A JSON document of unknown shape. */
export interface Document {
  readonly [key: string]: unknown;
}

/** What a call carries. */
export interface Call {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** What an enrolment says; the rest is as it should be. */
export interface Enrolment {
  readonly number?: number;
  readonly key?: string;
  readonly name?: string;
  readonly machine?: string;
  readonly host?: string;
  readonly timestamp?: number;
  readonly change?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

/** The Worker, its object and a simulated Central, on a clock that the test moves. */
export class World {
  readonly central = new SimulatedCentral(env.ZEROTIER_URL, env.ZEROTIER_TOKEN, env.ZEROTIER_NETWORK);
  readonly log: string[] = [];
  static #worlds = 0;
  // A year ahead, so that no alarm goes off by itself: the tests fire them. Each world has an hour of its own, since the Worker
  // remembers for some seconds what it saw in the one before.
  #ahead = 365 * DAY + HOUR * ++World.#worlds;
  #realNow = Date.now.bind(Date);

  now(): number {
    return this.#realNow() + this.#ahead;
  }

  advance(ms: number): void {
    this.#ahead += ms;
  }

  /** Lets time pass by `advance` alone from now on, for a test of exact times: what waits for its turn at Central waits for ever. */
  standStill(): void {
    const now = this.#realNow();
    this.#realNow = () => now;
  }

  get object(): DurableObjectStub<NetworkObject> {
    return env.NETWORK.getByName(env.ZEROTIER_NETWORK);
  }

  /** Calls the API. */
  async call(method: string, path: string, { token, body, headers }: Call = {}): Promise<Answer> {
    const response = await exports.default.fetch(`${ORIGIN}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return readAnswer(response);
  }

  /** Calls as the operator. */
  admin(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.call(method, path, { token: ADMIN, body });
  }

  /** Asks how the Worker is, as a stranger does when nobody did just before. */
  health(): Promise<Answer> {
    this.advance(LOOK);
    return this.call("GET", "/healthz");
  }

  /** Makes an enrolment key. */
  async key(terms: Record<string, unknown> = {}): Promise<string> {
    const { status, json } = await this.admin("POST", "/v1/keys", terms);
    expect(status).toBe(201);
    return String(json["key"]);
  }

  /** The signed body of an enrolment. */
  async body({ number = 0, name = "web1", machine, host, timestamp, change }: Enrolment = {}) {
    const { node, identity: text, secret } = identity(number);
    const fields = {
      host: host ?? new URL(ORIGIN).host,
      node,
      name,
      machineId: (machine ?? `${number}`).padStart(64, "0"),
      timestamp: timestamp ?? Math.floor(this.now() / 1000),
    };
    const { host: _host, node: _node, ...sent } = fields;
    return { identity: text, ...sent, signature: await sign(secret, fields), ...change };
  }

  /** Enrols server `number`, with a key made for it unless one is given. */
  async enrol(enrolment: Enrolment = {}): Promise<Answer> {
    const token = enrolment.key ?? (await this.key());
    const body = await this.body(enrolment);
    return this.call("POST", "/v1/enroll", {
      token,
      body,
      ...(enrolment.headers && { headers: enrolment.headers }),
    });
  }

  /** When the object's alarm is set to (ms since 1970), if it is. */
  alarmTime(): Promise<number | null> {
    return runInDurableObject(this.object, (_, state) => state.storage.getAlarm());
  }

  /** Moves the clock to the alarm and fires it; false when none is set. */
  async fireAlarm(): Promise<boolean> {
    const time = await this.alarmTime();
    if (time === null) return false;
    this.advance(Math.max(0, time - this.now()));
    return runDurableObjectAlarm(this.object);
  }

  /** Fires alarms until none is set. */
  async settle(): Promise<void> {
    for (let fired = 0; await this.fireAlarm(); fired++)
      if (fired === 50) throw new Error("the alarm is set again and again");
  }

  /** The object crashes: what it held in memory is gone, what was committed stays. */
  async crash(): Promise<void> {
    await abortAllDurableObjects();
  }

  /** The rows that wait in the outbox. */
  outbox(): Promise<{ kind: string; subject: string; attempts: number }[]> {
    return runInDurableObject(this.object, (_, state) =>
      state.storage.sql
        .exec<{ kind: string; subject: string; attempts: number }>(
          "SELECT kind, subject, attempts FROM outbox ORDER BY kind, subject",
        )
        .toArray(),
    );
  }

  /** How SQLite goes about a query of the object's tables. */
  plan(query: string): Promise<string> {
    return runInDurableObject(this.object, (_, state) =>
      state.storage.sql
        .exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`)
        .toArray()
        .map(({ detail }) => detail)
        .join("\n"),
    );
  }

  /** Routes at the controller, as `target via gateway`. */
  routes(): string[] {
    return this.central.network.config.routes.map(({ target, via }) =>
      via === null ? target : `${target} via ${via}`,
    );
  }
}

/** Reads an answer to its end. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): Document {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** A new world for each test of a file. */
export function useWorld(): { readonly world: World } {
  const current = { world: new World() };
  beforeEach(() => {
    const world = new World();
    current.world = world;
    vi.spyOn(Date, "now").mockImplementation(() => world.now());
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => world.central.fetch(input, init));
    vi.spyOn(console, "log").mockImplementation((line) => {
      world.log.push(String(line));
    });
  });
  afterEach(async () => {
    await reset();
    await abortAllDurableObjects();
    vi.restoreAllMocks();
  });
  return current;
}
