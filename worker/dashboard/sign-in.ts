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
      const { refused } = before === undefined ? {} : await end(new Api(app, c, before));
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
    const { token, refused } = session === undefined ? {} : await end(new Api(app, c, session));
    dropSession(c);
    if (refused !== undefined)
      return stillGoodPage(c, { title: "Signed out in this browser alone", refused, to: "/" });
    // An e-mail: it was begun by Cloudflare Access.
    return token?.includes("@") ? accessSignedOut(c) : c.redirect("/", 303);
  });
}

const NO_TOKEN = {
  title: "No admin token",
  detail: "An admin token is mba_ and at least 22 characters.",
  status: 400,
} as const;

/** What was said of a session, and what refused its end. */
interface Ended {
  readonly token?: string;
  readonly refused?: Refused;
}

/** Ends the session that the calls carry; nothing refuses it that is over by now, which is what was asked for. */
async function end(api: Api): Promise<Ended> {
  let of: { readonly token?: string } = {};
  try {
    of = await api.ask("GET", "/v1/sessions/current", currentSessionSchema);
    await api.tell("DELETE", "/v1/sessions/current");
    return of;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.status === 401 ? of : { ...of, refused: error };
  }
}
