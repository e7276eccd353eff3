// How a page asks the API: as everybody else does, by its calls, with the session in place of an admin token.
import type { Context } from "hono";
import type { z } from "zod";
import type { Refusal } from "../base/refusal.ts";
import type { Env } from "../env.ts";
import type { App } from "../http/context.ts";
import type { SessionBearer } from "../network/session-operations.ts";
import { vouchFor } from "../routes/operator-call.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { problemSchema } from "../schema/problem.ts";
import { PROBLEMS } from "../schema/problem-kinds.ts";
import { occurrenceOf } from "../schema/refusal-text.ts";
import { currentSessionSchema } from "../schema/session.ts";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** What a call is sent with. */
interface Sent {
  readonly body?: object | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** A status that comes with the document as well, besides those that say that all went well. */
  readonly orStatus?: number;
}

interface Fault {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Seconds after which asking again may help. */
  readonly retryAfter?: number | undefined;
}

/** What the API refused, in its words. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly retryAfter: number | undefined;

  constructor({ status, title, detail, retryAfter }: Fault) {
    super(`${title}: ${detail}`);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }

  /** What the API would say to it. */
  static by(refusal: Refusal): Refused {
    return new Refused({ ...PROBLEMS[refusal.problem], ...occurrenceOf(refusal) });
  }
}

/** The API, for whoever carries the token or session. */
export class Api {
  readonly #app: OpenAPIHono<App>;
  readonly #c: Context<App>;
  readonly #bearer: string;
  /** Whether a call has counted for the limit of the caller's address: a page counts as one, however much it asks. */
  #isCounted = false;
  #visitor: SessionBearer | undefined;

  constructor(app: OpenAPIHono<App>, c: Context<App>, bearer: string) {
    this.#app = app;
    this.#c = c;
    this.#bearer = bearer;
  }

  /** Who carries the session, and what it is good for; later calls for the same page need not look that up again. Throws {@link Refused}. */
  async whoAmI(): Promise<z.output<typeof currentSessionSchema>> {
    const visitor = await this.ask("GET", "/v1/sessions/current", currentSessionSchema);
    const { id, token, scopes, expiresAt } = visitor;
    if (id !== null && expiresAt !== null) this.#visitor = { id: token, scopes, session: { id, expiresAt } };
    return visitor;
  }

  /** The document that the call is answered with. Throws {@link Refused}. */
  async ask<S extends z.ZodType>(
    method: Method,
    path: string,
    schema: S,
    sent: Sent = {},
  ): Promise<z.output<S>> {
    const response = await this.#call(method, path, sent);
    return schema.parse(await response.json());
  }

  /** The same for a call whose answer says nothing more. */
  async tell(method: Method, path: string, sent: Sent = {}): Promise<void> {
    await this.#call(method, path, sent);
  }

  async #call(method: Method, path: string, { body, headers: more, orStatus }: Sent): Promise<Response> {
    const { req, env } = this.#c;
    const headers = new Headers({
      ...more,
      Authorization: `Bearer ${this.#bearer}`,
      Accept: "application/json",
    });
    // Whose call it is, for the limit and for what is kept of a session.
    const address = req.header("CF-Connecting-IP");
    if (address !== undefined) headers.set("CF-Connecting-IP", address);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    const request = new Request(new URL(path, req.url), {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (this.#visitor !== undefined) vouchFor(request, this.#visitor);
    const response = await this.#app.fetch(request, this.#isCounted ? uncounted(env) : env);
    this.#isCounted = true;
    if (response.ok || response.status === orStatus) return response;
    const wait = response.headers.get("Retry-After");
    throw new Refused({
      ...problemSchema.parse(await response.json()),
      retryAfter: wait === null ? undefined : Number(wait),
    });
  }
}

// One for each environment: what is read of it is kept by its identity.
const uncountedOf = new WeakMap<Env, Env>();

function uncounted(env: Env): Env {
  const known = uncountedOf.get(env) ?? { ...env, CALLS: { limit: async () => ({ success: true }) } };
  uncountedOf.set(env, known);
  return known;
}
