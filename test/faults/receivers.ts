import { createHmac } from "node:crypto";
import type { Storage } from "./storage.ts";

/** What becomes of a call: it is taken; refused; answered too late; taken, and the answer lost; never there. */
export const MOODS = ["takes", "refuses", "slow", "loses", "away"] as const;

export type Mood = (typeof MOODS)[number];

/** ms after which a receiver that is slow answers: later than anybody waits. */
export const SLOW_MS = 14_000;

/** The operator's side of a webhook. */
interface Hook {
  readonly url: string;
  /** The secrets that the operator was shown; undefined once an answer was lost that showed one. */
  secrets: string[] | undefined;
  /** When it was heard that the webhook is deleted (ms since 1970). */
  deletedAt: number | undefined;
  readonly received: Set<number>;
}

interface Sent {
  readonly type: string;
  readonly data: { readonly missed?: number; readonly events: readonly { readonly id: number }[] };
}

/** Where all webhooks go, each by an address of its own, and what was received there. */
export class Receivers {
  mood: Mood = "takes";
  readonly #hooks: Hook[] = [];
  readonly #accuse: (what: string) => void;

  constructor(accuse: (what: string) => void) {
    this.#accuse = accuse;
  }

  /** Another address. */
  open(): Hook {
    const hook: Hook = {
      url: `https://hooks.example.com/${this.#hooks.length}`,
      secrets: [],
      deletedAt: undefined,
      received: new Set(),
    };
    this.#hooks.push(hook);
    return hook;
  }

  at(url: string): Hook | undefined {
    return this.#hooks.find((hook) => hook.url === url);
  }

  /** A call leaves the object. */
  left(url: string, now: number): void {
    const deletedAt = this.at(url)?.deletedAt;
    if (deletedAt !== undefined && deletedAt < now)
      this.#accuse(`${url} is called, and its webhook was deleted`);
  }

  /** A call arrives; gives the status that it is answered with. */
  arrive(url: string, headers: Readonly<Record<string, string>>, body: string, mood: Mood): number {
    const hook = this.at(url);
    if (hook === undefined) {
      this.#accuse(`${url} is called, which is no webhook's`);
      return 404;
    }
    if (mood === "refuses") return 503;
    if (!isSigned(hook.secrets, headers, body)) this.#accuse(`a call of ${url} has no good signature`);
    const sent: Sent = JSON.parse(body);
    if ((sent.data.missed ?? 0) !== 0)
      this.#accuse(`a call of ${url} says that it missed ${sent.data.missed}`);
    if (sent.type === "test") return 204;
    const ids = sent.data.events.map(({ id }) => id);
    if (ids.length === 0 || ids.some((id, at) => at > 0 && id <= (ids[at - 1] ?? 0)))
      this.#accuse(`a call of ${url} has the events ${ids.join(", ")}`);
    for (const id of ids) hook.received.add(id);
    return 204;
  }

  /** Which events were never received, when nothing has failed for hours. */
  lookAround(storage: Storage): void {
    for (const { url, id, actions } of storage.rows<{ url: string; id: string; actions: string | null }>(
      "SELECT url, id, actions FROM webhooks",
    )) {
      const wanted: string[] | null = actions === null ? null : JSON.parse(actions);
      const events = storage.rows<{ id: number; action: string }>(
        `SELECT id, action FROM events WHERE id > (SELECT id FROM events WHERE action = 'webhook-made' AND webhook = '${id}')`,
      );
      for (const event of events)
        if ((wanted === null || wanted.includes(event.action)) && !this.at(url)?.received.has(event.id))
          this.#accuse(`${url} never received event ${event.id}, ${event.action}`);
    }
  }
}

function isSigned(
  secrets: readonly string[] | undefined,
  headers: Readonly<Record<string, string>>,
  body: string,
): boolean {
  const signatures = (headers["webhook-signature"] ?? "").split(" ");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  if (secrets === undefined) return signatures.length > 0;
  return secrets.some((secret) => {
    const key = Buffer.from(secret.replace("whsec_", ""), "base64");
    return signatures.includes(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
  });
}
