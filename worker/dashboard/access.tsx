/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import { LIMITS } from "../config/limits.ts";
import { accessIdentity } from "../http/access-identity.ts";
import { callerAddress } from "../http/caller-address.ts";
import type { App } from "../http/context.ts";
import { configured, signInLimited } from "../http/guards.ts";
import { Problem } from "../http/problem.ts";
import { askObject } from "../routes/object-call.ts";
import { ACCESS_PATH } from "./access-path.ts";
import { Refused } from "./api.ts";
import { readForm } from "./form.ts";
import { ownPath } from "./own-path.ts";
import { page } from "./page.tsx";
import { ownForms, type Pages } from "./pages.ts";
import { refusalPage } from "./refusal-page.tsx";
import { keepSession } from "./session-cookie.ts";

/** Where Access ends its own session, on every host that it guards. */
export const ACCESS_SIGN_OUT = "/cdn-cgi/access/logout";

/**
 * `/access`: the way in by Cloudflare Access. Coming here only shows who one is; a session begins by the form, which no other site's page
 * can send, so that none can end somebody's sessions by beginning new ones.
 */
export function accessPages({ app }: Pages): void {
  app.get(ACCESS_PATH, configured, async (c) => {
    const identity = await accessIdentity(c);
    if (identity === undefined) return notByAccess(c);
    const body = (
      <>
        <h1>Sign in</h1>
        <p>
          Cloudflare Access knows you as <strong>{identity.email}</strong>.
        </p>
        <form class="row" method="post" action={ACCESS_PATH}>
          <input type="hidden" name="to" value={ownPath(c.req.query("to") ?? "/")} />
          <button type="submit">Go on</button>
        </form>
        <p>
          <a href={ACCESS_SIGN_OUT}>Be somebody else</a>
        </p>
      </>
    );
    return page(c, { title: "Sign in", body });
  });

  app.post(ACCESS_PATH, ownForms, configured, signInLimited, async (c) => {
    try {
      const form = await readForm(c, LIMITS.formBytes);
      const identity = await accessIdentity(c);
      if (identity === undefined) return notByAccess(c);
      const address = callerAddress(c);
      const { session } = await askObject(c, async (object) => object.beginSession({ ...identity, address }));
      keepSession(c, session, LIMITS.accessSessionSeconds);
      return c.redirect(ownPath(form("to")), 303);
    } catch (error) {
      const refused = error instanceof Problem ? Refused.by(error.refusal) : error;
      if (!(refused instanceof Refused)) throw error;
      // With 401 a page would have to name another way in than a form.
      const status = refused.status === 401 ? 403 : refused.status;
      return refusalPage(c, new Refused({ ...refused, status }));
    }
  });
}

function notByAccess(c: Context<App>): Promise<Response> {
  return refusalPage(c, {
    title: "Not let in by Cloudflare Access",
    detail:
      "No Access application that this Worker's settings name (ACCESS_AUD) let this request in, or none with an e-mail: sign in with an admin token, or see docs/access.md.",
    status: 403,
  });
}

/** Where Access still knows somebody who has signed out here: goes on to its own sign-out. */
export function accessSignedOut(c: Context<App>): Promise<Response> {
  const body = (
    <>
      <h1>Signed out</h1>
      <p>
        <a href={ACCESS_SIGN_OUT}>Sign out of Cloudflare Access too</a>
      </p>
    </>
  );
  return page(c, { title: "Signed out", body, refreshTo: ACCESS_SIGN_OUT });
}
