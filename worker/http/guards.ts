// What stands before a handler: configuration, caller, rate. Each is a middleware that lets through or refuses, and reads
// nothing of the body.
import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { TokenFault } from "../base/refusal.ts";
import { secretKind, sha256Hex } from "../base/secret.ts";
import { type ConfigResult, parseConfig } from "../config/config.ts";
import type { Env } from "../env.ts";
import { callerNetwork } from "./caller-address.ts";
import type { App } from "./context.ts";
import { Problem } from "./problem.ts";

// The platform hands the same `env` to every request of an isolate.
const read = new WeakMap<Env, ConfigResult>();

/** The configuration, read once for each environment. */
export function configOf(env: Env): ConfigResult {
  const known = read.get(env);
  if (known !== undefined) return known;
  const result = parseConfig(env);
  read.set(env, result);
  return result;
}

/** Lets through when the Worker is configured; otherwise refuses, naming every fault. */
export const configured: MiddlewareHandler<App> = createMiddleware<App>(async (c, next) => {
  const result = configOf(c.env);
  if (!result.ok) throw new Problem({ problem: "misconfigured", faults: result.error });
  c.set("config", result.value);
  await next();
});

/**
 * Lets an address ask as often as the binding CALLS allows. It stands before every call that reaches the object without
 * the secret ADMIN_TOKEN: otherwise anybody could use up the object's daily quota.
 */
export const rateLimited: MiddlewareHandler<App> = createMiddleware<App>(async (c, next) => {
  await countCall(c);
  await next();
});

/** Whoever tries tokens is slowed down, by the limit that a single server has. */
export const signInLimited: MiddlewareHandler<App> = createMiddleware<App>(async (c, next) => {
  const { success } = await c.env.NODE_CALLS.limit({ key: `sign-in ${callerNetwork(c)}` });
  if (!success) throw new Problem({ problem: "too-many-requests", by: "address" });
  await next();
});

/** Lets through whoever carries an enrolment key; the allocator knows whether it is good. */
export const keyCarried: MiddlewareHandler<App> = createMiddleware<App>(async (c, next) => {
  const token = bearer(c);
  if (token === undefined || secretKind(token) !== "mbk") throw unauthorized("no-key");
  c.set("secretHash", await sha256Hex(token));
  await next();
});

/** Lets through whoever carries a node token. */
export const nodeOnly: MiddlewareHandler<App> = createMiddleware<App>(async (c, next) => {
  const token = bearer(c);
  if (token === undefined || secretKind(token) !== "mbn") throw unauthorized("no-node-token");
  await nodeToken(c, token);
  await next();
});

/**
 * The same for the node that hosts the controller, which asks again as soon as it has done what it was given: its address is counted
 * alone.
 */
export const hostOnly: MiddlewareHandler<App> = createMiddleware<App>(async (c, next) => {
  const token = bearer(c);
  if (token === undefined || secretKind(token) !== "mbn") throw unauthorized("no-node-token");
  c.set("caller", "node");
  c.set("secretHash", await sha256Hex(token));
  await countCall(c);
  await next();
});

/** Counts a call of whoever may be a stranger. Throws the problem `too-many-requests` for an address that asks too often. */
export async function countCall(c: Context<App>): Promise<void> {
  const { success } = await c.env.CALLS.limit({ key: callerNetwork(c) });
  if (!success) throw new Problem({ problem: "too-many-requests", by: "address" });
}

/** Takes the call for that of a node with this token, which the allocator has yet to know. Throws `too-many-requests`. */
export async function nodeToken(c: Context<App>, token: string): Promise<void> {
  c.set("caller", "node");
  c.set("secretHash", await sha256Hex(token));
  await countCall(c);
  // By its token and not by the node that it names: nobody else can use up what a node may ask.
  await countNode(c, c.get("secretHash"));
}

/**
 * Counts a call of a node, which is known by `proof`: a server that asks in a loop must not use up the object's day, from
 * however many addresses it comes.
 */
export async function countNode(c: Context<App>, proof: string): Promise<void> {
  const { success } = await c.env.NODE_CALLS.limit({ key: proof });
  if (!success) throw new Problem({ problem: "too-many-requests", by: "node" });
}

/** The token or key that the call carries. */
export function bearer(c: Context<App>): string | undefined {
  // RFC 6750: the scheme is compared without regard to case.
  return /^bearer +([A-Za-z0-9._~+/=-]{1,256}) *$/i.exec(c.req.header("Authorization") ?? "")?.[1];
}

export function unauthorized(reason: TokenFault): Problem {
  return new Problem({ problem: "unauthorized", reason });
}
