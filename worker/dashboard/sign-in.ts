import { secretKind } from "../base/secret.ts";
import { LIMITS } from "../config/limits.ts";
import { configOf } from "../http/guards.ts";
import { currentSessionSchema, newSessionSchema } from "../schema/session.ts";
import { accessSignedOut } from "./access.tsx";
import { Api, Refused } from "./api.ts";
import { readForm } from "./form.ts";
import { ownPath } from "./own-path.ts";
import { ownForms, type Pages } from "./pages.ts";
import { dropSession, keepSession, sessionOf } from "./session-cookie.ts";
import { signInPage } from "./sign-in-page.tsx";
import { stillGoodPage } from "./still-good-page.tsx";

/** The beginning and the end of a session. */
export function signInForms({ app }: Pages): void {
  app.post("/sign-in", ownForms, async (c) => {
    if (!configOf(c.env).ok) return signInPage(c);
    let to = "/";
    try {
      const form = await readForm(c, LIMITS.formBytes);
      to = ownPath(form("to"));
      const token = form("token");
      if (secretKind(token) !== "mba") throw new Refused(NO_TOKEN);
      const { session } = await new Api(app, c, token).ask("POST", "/v1/sessions", newSessionSchema);
      const before = sessionOf(c);
      keepSession(c, session);
      const refused = before === undefined ? undefined : await end(new Api(app, c, before));
      if (refused !== undefined)
        return stillGoodPage(c, { title: "Signed in, and the session before is not ended", refused, to });
      return c.redirect(to, 303);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // With 401 a page would have to name another way in than a form.
      const fault = error.status === 401 ? new Refused({ ...error, status: 403 }) : error;
      return signInPage(c, { fault, to });
    }
  });

  app.post("/sign-out", ownForms, async (c) => {
    const session = sessionOf(c);
    const api = session === undefined ? undefined : new Api(app, c, session);
    const isByAccess = api !== undefined && (await begunByAccess(api));
    const refused = api && (await end(api));
    dropSession(c);
    if (refused !== undefined)
      return stillGoodPage(c, { title: "Signed out in this browser alone", refused, to: "/" });
    return isByAccess ? accessSignedOut(c) : c.redirect("/", 303);
  });
}

const NO_TOKEN = {
  title: "No admin token",
  detail: "An admin token is mba_ and at least 22 characters.",
  status: 400,
} as const;

/** Whether the session that the calls carry was begun by Cloudflare Access: then it is an e-mail's. */
async function begunByAccess(api: Api): Promise<boolean> {
  try {
    const { token } = await api.ask("GET", "/v1/sessions/current", currentSessionSchema);
    return token.includes("@");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return false;
  }
}

/** Ends the session that the calls carry; what refuses it, unless it is over by now, which is what was asked for. */
async function end(api: Api): Promise<Refused | undefined> {
  try {
    await api.tell("DELETE", "/v1/sessions/current");
    return undefined;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.status === 401 ? undefined : error;
  }
}
