// The two forms of an answer: JSON, or `KEY=value` lines for a client without a JSON parser.
import type { Context } from "hono";
import type { z } from "zod";
import { prefersText } from "./accept.ts";
import type { App } from "./context.ts";
import { type Json, renderKeyValue } from "./key-value.ts";

export function wantsText(c: Context<App>): boolean {
  return prefersText(c.req.header("Accept") ?? "");
}

/** A document of the schema as JSON. Never cached: answers hold tokens and change. */
export function answer<S extends z.ZodType>(
  c: Context<App>,
  _schema: S,
  document: z.input<S> & { readonly [key: string]: Json | undefined },
  status: 200 | 201 | 202 = 200,
): Response {
  c.header("Cache-Control", "no-store");
  return c.body(JSON.stringify(document), status, { "Content-Type": "application/json" });
}

/** The answer to a server's agent: the same, or `KEY=value` lines when it asked for them. Not for lists: lines have no items. */
export function answerAgent<S extends z.ZodType>(
  c: Context<App>,
  schema: S,
  document: z.input<S> & { readonly [key: string]: Json | undefined },
  status: 200 | 202 = 200,
): Response {
  if (!wantsText(c)) return answer(c, schema, document, status);
  c.header("Cache-Control", "no-store");
  return c.body(renderKeyValue(document), status, { "Content-Type": "text/plain; charset=utf-8" });
}
