// The guards of the operator's calls. They stand here and not with the others, because only the object knows the admin tokens
// that were made through the API.
import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { TokenFault } from "../base/refusal.ts";
import { allows, type Scope } from "../base/scope.ts";
import { equalDigests, type SecretKind, secretKind, sha256Hex } from "../base/secret.ts";
import type { Config } from "../config/config.ts";
import type { App } from "../http/context.ts";
import { bearer, configured, countCall, nodeToken, unauthorized } from "../http/guards.ts";
import { Problem } from "../http/problem.ts";
import { type AdminTokenBearer, ROOT } from "../network/admin-token-operations.ts";
import type { SessionBearer } from "../network/session-operations.ts";
import { askObject } from "./object-call.ts";

// An isolate reads its configuration once, see configOf.
const rootHashes = new WeakMap<Config, string>();

// Requests that this Worker makes of itself, for whoever was asked about by the one before.
const vouchedFor = new WeakMap<Request, SessionBearer>();

/** A call of a page's that the object need not be asked about: it comes from the bearer that the page was asked for by. */
export function vouchFor(request: Request, bearer: SessionBearer): void {
  vouchedFor.set(request, bearer);
}

type Guard = MiddlewareHandler<App>;

/** What a call takes whose operator needs any of those scopes; behind the guards comes `more`. */
export function operatorCall(scopes: readonly Scope[], ...more: readonly Guard[]) {
  const guard = createMiddleware<App>(async (c, next) => {
    const { token, kind } = carried(c, "no-admin-token");
    if (!isOperators(kind)) throw new Problem({ problem: "forbidden", needs: scopes });
    await letIn(c, { token, kind }, scopes);
    await next();
  });
  return { security: securityOf(scopes), middleware: [configured, guard, ...more, lookAgain] };
}

/** The same where a node may call too; the allocator knows whether the token is that node's. */
export function operatorOrNodeCall(scopes: readonly Scope[], ...more: readonly Guard[]) {
  const guard = createMiddleware<App>(async (c, next) => {
    const { token, kind } = carried(c, "no-token");
    if (kind === "mbk") throw unauthorized("no-token");
    if (isOperators(kind)) await letIn(c, { token, kind }, scopes);
    else await nodeToken(c, token);
    await next();
  });
  const security = [...securityOf(scopes), { nodeToken: [] }];
  return { security, middleware: [configured, guard, ...more, lookAgain] };
}

/** For a call that does more than its scopes are for: throws the problem `forbidden` unless the operator has this one too. */
export function demandScope(c: Context<App>, scope: Scope): void {
  if (!allows(c.get("scopes"), [scope])) throw new Problem({ problem: "forbidden", needs: [scope] });
}

/** Whether an operator who may read calls, where no token is needed. */
export async function mayRead(c: Context<App>): Promise<boolean> {
  const token = bearer(c);
  const kind = token === undefined ? undefined : secretKind(token);
  if (token === undefined || !isOperators(kind)) return false;
  try {
    return allows((await bearerOf(c, { token, kind })).scopes, ["read"]);
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/**
 * Before anything is changed: a body takes as long as its sender wants, and a token that is taken back meanwhile must be good for
 * nothing.
 */
const lookAgain: Guard = createMiddleware<App>(async (c, next) => {
  const token = c.req.method === "GET" ? undefined : bearer(c);
  const kind = token === undefined ? undefined : secretKind(token);
  if (token !== undefined && isOperators(kind)) {
    const proof = await proofOf(c, { token, kind });
    // These settings may be those of a version that another one has taken the place of.
    if (proof.isRoot) await askObject(c, async (object) => object.seeRootToken(proof.hash));
    else await askBearer(c, proof);
  }
  await next();
});

/** The token that the call carries. Throws the fault when there is none. */
function carried(c: Context<App>, fault: TokenFault): { readonly token: string; readonly kind: SecretKind } {
  const token = bearer(c);
  const kind = token === undefined ? undefined : secretKind(token);
  if (token === undefined || kind === undefined) throw unauthorized(fault);
  return { token, kind };
}

// One entry a scope: any of them is enough. OpenAPI 3.1 lets schemes other than OAuth list what a call needs.
function securityOf(scopes: readonly Scope[]) {
  return scopes.map((scope) => ({ adminToken: [scope] }));
}

/** Of an operator: an admin token, or the session that was begun with one. */
type OperatorKind = Extract<SecretKind, "mba" | "mbs">;

interface Carried {
  readonly token: string;
  readonly kind: OperatorKind;
}

/** SHA-256 of what the call carries, and whether it is the admin token in the settings, which nobody need be asked about to look. */
interface Proof {
  readonly kind: OperatorKind;
  readonly hash: string;
  readonly isRoot: boolean;
}

function isOperators(kind: SecretKind | undefined): kind is OperatorKind {
  return kind === "mba" || kind === "mbs";
}

async function letIn(c: Context<App>, carrying: Carried, scopes: readonly Scope[]): Promise<void> {
  const bearer = await bearerOf(c, carrying);
  const { id, scopes: has } = bearer;
  if (!allows(has, scopes)) throw new Problem({ problem: "forbidden", needs: scopes });
  c.set("caller", "admin");
  c.set("operator", { who: "operator", id });
  c.set("scopes", has);
  if ("session" in bearer) c.set("session", bearer.session);
}

async function bearerOf(c: Context<App>, carrying: Carried): Promise<AdminTokenBearer | SessionBearer> {
  const known = vouchedFor.get(c.req.raw);
  if (known !== undefined) return known;
  const proof = await proofOf(c, carrying);
  if (proof.isRoot) return ROOT;
  // It may be a stranger's: such a call must not use up the object's day.
  await countCall(c);
  return askBearer(c, proof);
}

async function proofOf(c: Context<App>, { token, kind }: Carried): Promise<Proof> {
  const hash = await sha256Hex(token);
  return { kind, hash, isRoot: kind === "mba" && equalDigests(hash, await rootHash(c.get("config"))) };
}

function askBearer(c: Context<App>, { kind, hash }: Proof): Promise<AdminTokenBearer | SessionBearer> {
  return askObject<AdminTokenBearer | SessionBearer>(c, async (object) =>
    kind === "mba" ? object.adminTokenBearer(hash) : object.sessionBearer(hash),
  );
}

/** SHA-256 of the admin token that the settings have. */
async function rootHash(config: Config): Promise<string> {
  const hash = rootHashes.get(config) ?? (await sha256Hex(config.adminToken));
  rootHashes.set(config, hash);
  return hash;
}
