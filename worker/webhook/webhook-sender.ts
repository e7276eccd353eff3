// Sends the audit log to webhooks, each event at least once, in the order of the log. One call at a time, and nobody waits for it but
// the next: a receiver that is slow delays no lease.
import { errorText, type Log } from "../base/log.ts";
import type { Seals } from "../base/seal.ts";
import type { Config } from "../config/config.ts";
import { LIMITS } from "../config/limits.ts";
import type { Stores } from "../store/stores.ts";
import type { Webhook } from "../store/webhook-store.ts";
import { eventView } from "./event-view.ts";
import { targetFault } from "./target.ts";
import { type Caller, type CallOutcome, makeCall } from "./webhook-call.ts";
import { LONGEST_PAUSE_MS, webhookPause } from "./webhook-pause.ts";
import { SEALED, secretsOf } from "./webhook-secrets.ts";

/** ms after which a call is made again of which nothing more was heard: each of those before it may take as long as it may. */
const UNHEARD_MS = (LIMITS.webhooks + 2) * LIMITS.webhookTimeoutMs;

/** The receiver says that it is gone for good. It may be its proxy that says so: it is asked on, as seldom as any. */
const GONE = 410;

/** What {@link WebhookSender} needs; clock and randomness are arguments. */
export interface WebhookSenderOptions extends Caller {
  readonly stores: Stores;
  readonly config: Pick<Config, "pool">;
  readonly seals: Seals;
  readonly random: () => number;
  readonly log: Log;
}

/** The events of one call. */
interface Batch {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Up to where the webhook has all that it wants when they are taken. */
  readonly through: number;
  readonly body: string;
}

export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
  }

  /** Begins to send what is due, and does not wait for it: the object stays alive while an answer is awaited. */
  begin(): void {
    const { stores, now } = this.#options;
    const due = stores.webhooks.due(now());
    if (due.length === 0) return;
    // Not due any more, or the alarm would be set for them again and again.
    stores.transaction(() => {
      for (const id of due) stores.webhooks.claim(id, now() + UNHEARD_MS);
    });
    for (const id of due) this.#last = this.#last.then(() => this.#send(id));
  }

  /** Makes a call with no event in it, at once. */
  async test(webhook: Webhook): Promise<CallOutcome> {
    const at = this.#options.now();
    const message = `${webhook.id}-test-${at}`;
    return this.#call(webhook, message, bodyOf("test", at, { webhook: webhook.id }));
  }

  async #send(id: string): Promise<void> {
    const { stores, now, log } = this.#options;
    try {
      const webhook = stores.webhooks.get(id);
      // Deleted meanwhile.
      if (webhook === undefined) return;
      const batch = this.#batchFor(webhook);
      const at = now();
      if (batch === undefined) {
        stores.transaction(() => stores.webhooks.called({ ...webhook, failures: 0, dueAt: null }, now()));
        return;
      }
      const outcome = await this.#call(webhook, `${id}-${batch.first}-${batch.last}`, batch.body);
      stores.transaction(() => this.#note(webhook, batch, { at, ...outcome }));
    } catch (error) {
      // It is made again when it counts as unheard.
      log("webhook-failed", { webhook: id, fault: errorText(error) });
    }
  }

  /** What comes next; undefined when there is nothing, since a call before took it all. */
  #batchFor({ id, sentThrough, missed, actions }: Webhook): Batch | undefined {
    const { events } = this.#options.stores;
    const found = events.after(sentThrough, actions, LIMITS.webhookEvents);
    const [first] = found;
    const last = found.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const isFull = found.length === LIMITS.webhookEvents;
    const through = isFull ? last.id : (events.ends()?.newest ?? last.id);
    const body = bodyOf("events", last.at, { webhook: id, missed, events: found.map(eventView) });
    return { first: first.id, last: last.id, count: found.length, through, body };
  }

  async #call({ url, ...webhook }: Webhook, id: string, body: string): Promise<CallOutcome> {
    const { config, seals, now } = this.#options;
    const refused = (fault: string): CallOutcome => ({ status: null, fault, text: "", ms: 0 });
    const fault = targetFault(url, config);
    if (fault !== undefined) return refused(`url: ${fault}`);
    const secrets = await secretsOf(webhook, seals, now());
    if (secrets.length === 0) return refused(SEALED);
    const message = { id, timestamp: Math.floor(now() / 1000) };
    return makeCall(this.#options, { url, message, body, secrets });
  }

  /** Within a transaction: what the call that was made `at` came to. */
  #note(
    { id, actions, missed }: Webhook,
    { through, first, last, count }: Batch,
    { retryAt = 0, ...outcome }: CallOutcome & { readonly at: number },
  ): void {
    const { stores, now, random, log } = this.#options;
    const webhook = stores.webhooks.get(id);
    // Deleted meanwhile.
    if (webhook === undefined) return;
    const attempt = webhook.failures + 1;
    const answers = [{ ...outcome, first, last, count, attempt }, ...webhook.answers];
    const after = { id, answers: answers.slice(0, LIMITS.webhookAnswers) };
    if (outcome.fault === null) {
      const isMore = stores.events.after(through, actions, 1).length > 0;
      const taken = { through, missed };
      stores.webhooks.called({ ...after, failures: 0, dueAt: isMore ? now() : null, taken }, now());
      return;
    }
    const pause = outcome.status === GONE ? LONGEST_PAUSE_MS : webhookPause(attempt, random);
    const dueAt = Math.min(now() + LONGEST_PAUSE_MS, Math.max(now() + pause, retryAt));
    stores.webhooks.called({ ...after, failures: attempt, dueAt }, now());
    log("webhook-failed", { webhook: id, attempts: attempt, fault: outcome.fault, dueAt });
  }
}

/** As the specification wants it. `at`: ms since 1970, of the newest event. */
function bodyOf(type: "events" | "test", at: number, data: object): string {
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}
