/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { App } from "../http/context.ts";
import { pathHere } from "./own-path.ts";
import { page } from "./page.tsx";
import { sessionOf } from "./session-cookie.ts";

/** A link of another site's brings no cookie along, though there may be one. From a page of ours it comes: so this one leads on. */
export const withCookie = createMiddleware<App>(async (c, next) => {
  if (sessionOf(c) === undefined && c.req.header("Sec-Fetch-Site") === "cross-site") return onwardPage(c);
  return next();
});

function onwardPage(c: Context<App>): Promise<Response> {
  const here = pathHere(c);
  const body = (
    <p>
      <a href={here}>Go on to Meshboot</a>
    </p>
  );
  return page(c, { title: "Meshboot", body, refreshTo: here });
}
