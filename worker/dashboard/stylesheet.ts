import { sha256Hex } from "../base/secret.ts";
import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import STYLE from "./style.css";

/** The first digits of the stylesheet's SHA-256: another style has another address, so that each is kept for ever. */
let version: Promise<string> | undefined;

/** Where the pages' stylesheet is. */
export async function stylesheet(): Promise<string> {
  version ??= sha256Hex(STYLE).then((digest) => digest.slice(0, 16));
  return `/style/${await version}.css`;
}

/** `GET /style/<version>.css`. */
export function stylesheetRoute(app: OpenAPIHono<App>): void {
  app.get("/style/:file", async (c) => {
    if (c.req.path !== (await stylesheet())) return c.notFound();
    return c.body(STYLE, 200, {
      "Content-Type": "text/css; charset=utf-8",
      "Cache-Control": "public, max-age=31536000, immutable",
    });
  });
}
