// User-data that is the same at each call with one Idempotency-Key: a tool that compares it with what a server was made
// with would otherwise make the server anew.
import { z } from "zod";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Operator } from "../lease/deed.ts";
import type { KeyView } from "../schema/key.ts";
import type { KeptUserData } from "../store/user-data-store.ts";
import { addKey, type KeyRequest, keyView, makeKey, newKeyView } from "./key-operations.ts";
import type { NetworkContext } from "./network-context.ts";

/** A call that can be repeated. */
export interface RepeatableCall {
  readonly idempotencyKey: string;
  /** A digest of what it asks for. */
  readonly request: string;
}

export interface UserDataAnswer {
  readonly text: string;
  readonly view: KeyView;
}

const sealedSchema = z.object({ request: z.string(), text: z.string() });

/** What the call was answered before; undefined for a first one. */
export async function repeatUserData(
  net: NetworkContext,
  call: RepeatableCall,
): Promise<Result<UserDataAnswer | undefined, Refusal>> {
  const kept = net.stores.userData.get(call.idempotencyKey);
  return kept === undefined ? ok(undefined) : answerAgain(net, call, kept);
}

/** Makes a key and keeps the user-data that carries it between the two texts. Of calls at the same time, one counts. */
export async function makeUserData(
  net: NetworkContext,
  call: RepeatableCall,
  terms: KeyRequest,
  around: readonly [before: string, after: string],
  by: Operator,
): Promise<Result<UserDataAnswer, Refusal>> {
  const made = await makeKey(net, terms);
  const text = around.join(made.secret);
  const sealed = await net.seals.seal(JSON.stringify({ request: call.request, text }));
  const { userData } = net.stores;
  const { earlier, added } = net.stores.transaction(() => {
    const earlier = userData.get(call.idempotencyKey);
    if (earlier !== undefined) return { earlier };
    const added = addKey(net, made, terms.takeover, by);
    if (added.ok) userData.keep(call.idempotencyKey, added.value.id, sealed);
    return { added };
  });
  if (added === undefined) return answerAgain(net, call, earlier);
  return added.ok ? ok({ text, view: newKeyView(added.value, net.now()) }) : added;
}

async function answerAgain(
  net: NetworkContext,
  { request }: RepeatableCall,
  { keyId, sealed }: KeptUserData,
): Promise<Result<UserDataAnswer, Refusal>> {
  const key = net.stores.keys.byId(keyId);
  if (sealed === undefined || key === undefined)
    return err({ problem: "idempotency-key-used", reason: "key-deleted", keyId });
  const opened = await net.seals.unseal(sealed);
  if (opened === undefined) return err({ problem: "idempotency-key-used", reason: "seal-lost", keyId });
  const kept = sealedSchema.parse(JSON.parse(opened));
  if (kept.request !== request)
    return err({ problem: "idempotency-key-used", reason: "other-request", keyId });
  return ok({ text: kept.text, view: keyView(key, net.now()) });
}
