// How a handler reaches the network's object.
import type { Context } from "hono";
import { consoleLog, errorText } from "../base/log.ts";
import type { Refusal } from "../base/refusal.ts";
import type { Result } from "../base/result.ts";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";
import { Problem } from "../http/problem.ts";
import type { NetworkObject } from "../network/network-object.ts";
import type { Caller } from "../network/node-access.ts";

/** The network's object, by RPC. */
export type ObjectStub = DurableObjectStub<NetworkObject>;

/** Who calls, as the guard `adminOrNode` found out. */
export function callerOf(c: Context<App>): Caller {
  return c.get("caller") === "admin" ? { admin: true } : { admin: false, tokenHash: c.get("secretHash") };
}

/**
 * Calls the network's object. Throws the problem `object-unreachable` when the call throws (the object returns refusals
 * as values) or takes longer than `seconds`.
 */
export async function callObject<T>(
  c: Context<App>,
  call: (object: ObjectStub) => Promise<T>,
  seconds: number = LIMITS.objectSeconds,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([call(c.env.NETWORK.getByName(c.get("config").networkId)), late]);
  } catch (error) {
    consoleLog("object-unreachable", { requestId: c.get("requestId"), error: errorText(error) });
    throw new Problem({ problem: "object-unreachable" });
  } finally {
    clearTimeout(timer);
  }
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
