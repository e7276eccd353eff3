import { bearer } from "../http/guards.ts";
import { isFromOwnPage, type Pages } from "./pages.ts";
import { sessionOf } from "./session-cookie.ts";

/**
 * A browser lets a page put no token into the request for a socket, and sends the cookie by itself, so here the cookie stands for the token: for
 * pages of our own alone, since another site's could open a socket as well.
 */
export function liveSocket({ app }: Pages): void {
  app.use("/v1/live", async (c, next) => {
    const session = sessionOf(c);
    if (session !== undefined && bearer(c) === undefined && isFromOwnPage(c)) {
      const headers = new Headers(c.req.raw.headers);
      headers.set("Authorization", `Bearer ${session}`);
      c.req.raw = new Request(c.req.raw, { headers });
    }
    await next();
  });
}
