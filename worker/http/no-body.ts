import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { App } from "./context.ts";
import { Problem } from "./problem.ts";

const NONE =
  "body: this call takes none; what it takes stands in its address, such as ?dryRun=true where there is one (/openapi.json)";

/** Bytes of a body that says nothing, with some room for white space. */
const MOST = 64;

/**
 * For a call that takes no body: refuses one that says something, such as a `dryRun` that belongs into the address and would
 * pass unseen, and one that breaks off. An empty one is let through, and an empty object, which some clients always send.
 */
export const noBody: MiddlewareHandler<App> = createMiddleware<App>(async (c, next) => {
  const isSaid = await saysSomething(c.req.raw.body).catch(() => true);
  if (isSaid) throw new Problem({ problem: "bad-request", faults: [NONE] });
  await next();
});

/** Reads no more of it than it takes to know. */
async function saysSomething(body: ReadableStream<Uint8Array> | null): Promise<boolean> {
  if (body === null) return false;
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MOST) return true;
  }
  return !/^\s*(\{\s*\})?\s*$/.test(text);
}
