// Webhooks: made, listed, tested and deleted by the operator. A secret leaves the object once, when it is made.
import { isoTime } from "../base/iso-time.ts";
import { makeId } from "../base/made-id.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { LIMITS } from "../config/limits.ts";
import type { Operator } from "../lease/deed.ts";
import type { NewWebhookView, TestedWebhook, WebhookDetail, WebhookView } from "../schema/webhook.ts";
import type { MadePlace } from "../store/made-place.ts";
import type { Webhook } from "../store/webhook-store.ts";
import { makeWebhookSecret } from "../webhook/signature.ts";
import { targetFault } from "../webhook/target.ts";
import { SEALED, secretsOf } from "../webhook/webhook-secrets.ts";
import type { NetworkContext } from "./network-context.ts";

/** Whom events are to be sent to; without actions, all. */
export interface WantedWebhook {
  readonly url: string;
  readonly actions: readonly string[] | null;
  readonly note: string | null;
  /** The host at which the call came in, which is no receiver. */
  readonly ownHost: string;
}

/** Makes a webhook, which gets the events from now on. */
export async function createWebhook(
  net: NetworkContext,
  { url, actions, note, ownHost }: WantedWebhook,
  by: Operator,
): Promise<Result<NewWebhookView, Refusal>> {
  const { stores, config, seals, now, randomBytes } = net;
  const fault = targetFault(url, { pool: config.pool, ownHost });
  if (fault !== undefined) return err({ problem: "bad-request", faults: [`url: ${fault}`] });
  const secret = makeWebhookSecret(randomBytes);
  const sealed = await seals.seal(secret);
  const id = makeId(randomBytes);
  const isMade = stores.transaction(() => {
    if (stores.webhooks.count() >= LIMITS.webhooks) return false;
    stores.events.add(now(), { by, action: "webhook-made", webhook: id });
    const sentThrough = stores.events.ends()?.newest ?? 0;
    stores.webhooks.add({ id, url, actions, note, createdAt: now(), sealed, sentThrough });
    return true;
  });
  return isMade
    ? shownWith(secret, net, id)
    : err({ problem: "limit-reached", what: "webhook", most: LIMITS.webhooks });
}

/** Webhooks in the order of their making, at most `limit`, those after the place. */
export async function listWebhooks(
  net: NetworkContext,
  limit: number,
  after: MadePlace | undefined,
): Promise<WebhookView[]> {
  return Promise.all(net.stores.webhooks.list(limit, after).map((webhook) => webhookView(net, webhook)));
}

/** A webhook, and what its receiver answered last. */
export async function readWebhook(net: NetworkContext, id: string): Promise<Result<WebhookDetail, Refusal>> {
  const webhook = net.stores.webhooks.get(id);
  if (webhook === undefined) return noWebhook(id);
  const answers = webhook.answers.map(({ at, ...answer }) => ({ ...answer, at: new Date(at).toISOString() }));
  return ok({ ...(await webhookView(net, webhook)), answers });
}

/** Deletes a webhook; a call that is on its way still arrives. */
export function deleteWebhook(
  { stores, now }: NetworkContext,
  id: string,
  by: Operator,
): Result<true, Refusal> {
  const isGone = stores.transaction(() => {
    if (stores.webhooks.get(id) === undefined) return false;
    stores.events.add(now(), { by, action: "webhook-deleted", webhook: id });
    stores.webhooks.remove(id);
    return true;
  });
  return isGone ? ok(true) : noWebhook(id);
}

/** Makes another secret. With `now` the one before is good no more, otherwise both sign for a while. What waits is sent at once. */
export async function rotateWebhook(
  net: NetworkContext,
  id: string,
  what: { readonly now: boolean },
  by: Operator,
): Promise<Result<NewWebhookView, Refusal>> {
  const { stores, seals, now, randomBytes } = net;
  if (stores.webhooks.get(id) === undefined) return noWebhook(id);
  const secret = makeWebhookSecret(randomBytes);
  const sealed = await seals.seal(secret);
  const isThere = stores.transaction(() => {
    if (stores.webhooks.get(id) === undefined) return false;
    stores.webhooks.rotate(id, sealed, what.now ? undefined : now() + LIMITS.webhookSecretMs);
    stores.webhooks.hasten(id, now());
    stores.events.add(now(), { by, action: "webhook-rotated", webhook: id });
    return true;
  });
  return isThere ? shownWith(secret, net, id) : noWebhook(id);
}

/** Makes a test call, and says what came back. When it is taken, what waits for the receiver is sent at once. */
export async function testWebhook(net: NetworkContext, id: string): Promise<Result<TestedWebhook, Refusal>> {
  const { stores, sender, now } = net;
  const webhook = stores.webhooks.get(id);
  if (webhook === undefined) return noWebhook(id);
  const { status, fault, text, ms } = await sender.test(webhook);
  if (fault === null) stores.transaction(() => stores.webhooks.hasten(id, now()));
  return ok({ status, fault, text, ms });
}

async function shownWith(
  secret: string,
  net: NetworkContext,
  id: string,
): Promise<Result<NewWebhookView, Refusal>> {
  const webhook = net.stores.webhooks.get(id);
  return webhook === undefined ? noWebhook(id) : ok({ ...(await webhookView(net, webhook)), secret });
}

function noWebhook(id: string): Result<never, Refusal> {
  return err({ problem: "not-found", missing: { what: "webhook", id } });
}

/** A webhook as the operator sees it. */
async function webhookView({ config, seals, now }: NetworkContext, webhook: Webhook): Promise<WebhookView> {
  const { id, url, actions, note, failures, missed, dueAt, earlier } = webhook;
  const fault = targetFault(url, config);
  const secrets = await secretsOf(webhook, seals, now());
  const isEarlierGood = earlier !== null && earlier.until > now();
  return {
    id,
    url,
    actions: actions === null ? null : [...actions],
    note,
    createdAt: new Date(webhook.createdAt).toISOString(),
    state: failures > 0 ? "failing" : dueAt === null ? "idle" : "waiting",
    failures,
    nextAt: isoTime(dueAt),
    missed,
    earlierSecretUntil: isEarlierGood ? new Date(earlier.until).toISOString() : null,
    fault: fault !== undefined ? `url: ${fault}` : secrets.length === 0 ? SEALED : null,
  };
}
