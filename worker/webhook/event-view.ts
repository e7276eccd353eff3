import type { EventView } from "../schema/events.ts";
import type { StoredEvent } from "../store/event-store.ts";

/** An entry of the audit log as `GET /v1/events` and webhooks show it: see `worker/lease/deed.ts` for its words. */
export function eventView({ at, who, whoId, keyId, tokenId, ...event }: StoredEvent): EventView {
  return {
    id: event.id,
    at: new Date(at).toISOString(),
    by: { who, ...(whoId !== null && { id: whoId }) },
    action: event.action,
    node: event.node,
    name: event.name,
    slot: event.slot,
    state: event.state,
    key: keyId,
    token: tokenId,
    webhook: event.webhook,
    was: event.was,
    why: event.why,
  };
}
