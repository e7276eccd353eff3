import { createMiddleware } from "hono/factory";
import { secretKind } from "../base/secret.ts";
import { callerNetwork } from "../http/caller-address.ts";
import type { App } from "../http/context.ts";
import { configured } from "../http/guards.ts";
import { newSessionSchema } from "../schema/session.ts";
import { Api, Refused } from "./api.ts";
import { ownForms, type Pages } from "./pages.ts";
import { dropSession, keepSession, sessionOf } from "./session-cookie.ts";
import { signInPage } from "./sign-in-page.tsx";

/** The beginning and the end of a session. */
export function signInForms({ app }: Pages): void {
  app.post("/sign-in", configured, slowed, ownForms, async (c) => {
    const { token } = await c.req.parseBody();
    if (typeof token !== "string" || secretKind(token.trim()) !== "mba")
      return signInPage(c, { text: "An admin token is mba_ and at least 22 characters.", status: 400 });
    try {
      const { session } = await new Api(app, c, token.trim()).ask("POST", "/v1/sessions", newSessionSchema);
      keepSession(c, session);
      return c.redirect("/", 303);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const status = error.status === 401 ? 403 : error.status === 429 ? 429 : 503;
      return signInPage(c, { text: error.detail, status });
    }
  });

  app.post("/sign-out", ownForms, async (c) => {
    const session = sessionOf(c);
    // One that is over by now is what was asked for.
    if (session !== undefined)
      await new Api(app, c, session).tell("DELETE", "/v1/sessions/current").catch(passRefusals);
    dropSession(c);
    return c.redirect("/", 303);
  });
}

/** Whoever tries tokens is slowed down, by the limit that a single server has. */
const slowed = createMiddleware<App>(async (c, next) => {
  const { success } = await c.env.NODE_CALLS.limit({ key: `sign-in ${callerNetwork(c)}` });
  if (!success) return signInPage(c, { text: "Too many tries. Wait a minute.", status: 429 });
  return next();
});

function passRefusals(error: unknown): void {
  if (!(error instanceof Refused)) throw error;
}
