import type { Context } from "hono";
import { consoleLog, errorText } from "../base/log.ts";
import { Problem } from "../base/problem.ts";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";
import type { NetworkObject } from "../network/network-object.ts";
import type { Caller } from "../network/node-access.ts";

/** Who calls, as the guard `adminOrNode` found out. */
export function callerOf(c: Context<App>): Caller {
  return c.get("caller") === "admin" ? { admin: true } : { admin: false, tokenHash: c.get("secretHash") };
}

/** The network's object, by RPC. */
export type NetworkStub = DurableObjectStub<NetworkObject>;

/**
 * Calls the network's object. Throws the problem `object-unreachable` when the call throws (the object
 * answers refusals as values) or takes longer than `seconds`.
 */
export async function callObject<T>(
  c: Context<App>,
  call: (network: NetworkStub) => Promise<T>,
  seconds: number = LIMITS.objectSeconds,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([call(c.env.NETWORK.getByName(c.get("config").network)), late]);
  } catch (error) {
    consoleLog("object-unreachable", { requestId: c.get("requestId"), error: errorText(error) });
    throw new Problem({
      problem: "object-unreachable",
      detail: "the Durable Object that holds the leases does not answer; ask again",
      retryAfter: 10,
    });
  } finally {
    clearTimeout(timer);
  }
}
