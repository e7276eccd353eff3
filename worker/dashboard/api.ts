// How a page asks the API: as everybody else does, by its calls, with the session in place of an admin token.
import type { Context } from "hono";
import type { z } from "zod";
import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { problemSchema } from "../schema/problem.ts";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** What the API refused, in its words. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly title: string;
  readonly detail: string;

  constructor({
    status,
    title,
    detail,
  }: Pick<z.output<typeof problemSchema>, "status" | "title" | "detail">) {
    super(`${title}: ${detail}`);
    this.status = status;
    this.title = title;
    this.detail = detail;
  }
}

/** The API, for whoever carries the token or session. */
export class Api {
  readonly #app: OpenAPIHono<App>;
  readonly #c: Context<App>;
  readonly #bearer: string;

  constructor(app: OpenAPIHono<App>, c: Context<App>, bearer: string) {
    this.#app = app;
    this.#c = c;
    this.#bearer = bearer;
  }

  /** The document that the call is answered with. `more`: further headers. Throws {@link Refused}. */
  async ask<S extends z.ZodType>(
    method: Method,
    path: string,
    schema: S,
    body?: object,
    more: Readonly<Record<string, string>> = {},
  ): Promise<z.output<S>> {
    const response = await this.#call(method, path, body, more);
    return schema.parse(await response.json());
  }

  /** The same for a call whose answer says nothing more. */
  async tell(method: Method, path: string, body?: object): Promise<void> {
    await this.#call(method, path, body, {});
  }

  async #call(
    method: Method,
    path: string,
    body: object | undefined,
    more: Readonly<Record<string, string>>,
  ): Promise<Response> {
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
    const response = await this.#app.fetch(request, env);
    if (response.ok) return response;
    throw new Refused(problemSchema.parse(await response.json()));
  }
}
