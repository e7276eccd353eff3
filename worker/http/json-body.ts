import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type { App } from "./context.ts";
import { Problem } from "./problem.ts";

const TYPE = "application/json";

/**
 * Lets through a JSON body of at most `bytes`, read to its end and counted, whatever its length is said to be. The type is
 * JSON's in whatever form RFC 9110 lets a sender write it; those behind, which are stricter, see the plain one.
 */
export function jsonBody(bytes: number): MiddlewareHandler<App> {
  const refuse = (): never => {
    throw new Problem({ problem: "body-too-large", most: bytes });
  };
  const limited = bodyLimit({ maxSize: bytes, onError: refuse });
  return createMiddleware<App>(async (c, next) => {
    const header = c.req.header("Content-Type") ?? "";
    const type = header.split(";")[0]?.trim().toLowerCase();
    if (type !== TYPE) throw new Problem({ problem: "unsupported-media-type", type });
    const length = c.req.header("Content-Length");
    if (header !== TYPE || !/^\d*$/.test(length ?? "")) {
      const headers = new Headers(c.req.raw.headers);
      headers.set("Content-Type", TYPE);
      headers.delete("Content-Length");
      c.req.raw = new Request(c.req.raw, { headers });
    }
    try {
      await limited(c, async () => {
        // What hono has read once it keeps for those behind. The length that it was said to have was believed so far.
        const { length: read } = await c.req.text();
        if (read > bytes) refuse();
      });
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem({
        problem: "bad-request",
        faults: ["the body broke off before its end: send it again"],
      });
    }
    await next();
  });
}
