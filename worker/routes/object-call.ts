// How a handler reaches the network's object.
import type { Context } from "hono";
import { consoleLog, errorText } from "../base/log.ts";
import { isQuotaUsedUp, quotaBackAt } from "../base/quota.ts";
import type { Refusal } from "../base/refusal.ts";
import type { Result } from "../base/result.ts";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";
import { Problem } from "../http/problem.ts";
import type { NetworkObject } from "../network/network-object.ts";
import type { Caller } from "../network/node-access.ts";

/** The network's object, by RPC. */
export type ObjectStub = DurableObjectStub<NetworkObject>;

/** Who calls, as the guard of `operatorOrNodeCall` found out. */
export function callerOf(c: Context<App>): Caller {
  return c.get("caller") === "admin"
    ? { admin: true, by: c.get("operator") }
    : { admin: false, tokenHash: c.get("secretHash") };
}

/**
 * Calls the network's object. Throws the problem `object-unreachable`, with its reason, when the call throws (the object
 * returns refusals as values) or takes longer than `seconds`.
 */
export async function callObject<T>(
  c: Context<App>,
  call: (object: ObjectStub) => Promise<T>,
  seconds: number = LIMITS.objectSeconds,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`no answer within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([call(c.env.NETWORK.getByName(c.get("config").networkId)), late]);
  } catch (error) {
    const refusal = unreachable(error);
    const { reason } = refusal;
    consoleLog("object-unreachable", { requestId: c.get("requestId"), reason, error: errorText(error) });
    throw new Problem(refusal);
  } finally {
    clearTimeout(timer);
  }
}

class Late extends Error {}

/** Seconds that a server waits at least and at most while a quota is used up: a thousand that wait must not use up that of calls. */
const USED_UP_SECONDS = { least: 60, most: 3600 } as const;

function unreachable(error: unknown): Extract<Refusal, { problem: "object-unreachable" }> {
  const problem = "object-unreachable";
  if (error instanceof Late) return { problem, reason: "late" };
  if (isOverloaded(error)) return { problem, reason: "overloaded" };
  if (!isQuotaUsedUp(error)) return { problem, reason: "failed" };
  const now = Date.now();
  const { least, most } = USED_UP_SECONDS;
  const seconds = Math.ceil((quotaBackAt(now) - now) / 1000);
  return { problem, reason: "used-up", retryAfter: Math.min(most, Math.max(least, seconds)) };
}

/** Whether the platform says that more calls wait for the object than it takes. */
function isOverloaded(error: unknown): boolean {
  return error instanceof Error && "overloaded" in error && error.overloaded === true;
}

/** The same for a call that the object may refuse: throws its refusal as a problem. */
export async function askObject<T>(
  c: Context<App>,
  call: (object: ObjectStub) => Promise<Result<T, Refusal>>,
  seconds?: number,
): Promise<T> {
  const result = await callObject(c, call, seconds);
  if (!result.ok) throw new Problem(result.error);
  return result.value;
}
