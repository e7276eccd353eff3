// Who may see a page, and who may send its form.
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";
import { publicOrigin } from "../http/public-origin.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { Api, Refused } from "./api.ts";
import { type Form, readForm } from "./form.ts";
import { withCookie } from "./onward-page.tsx";
import { pathHere } from "./own-path.ts";
import { refusalPage } from "./refusal-page.tsx";
import { dropSession, sessionOf } from "./session-cookie.ts";
import { signInPage } from "./sign-in-page.tsx";

/** What a page is made with: the API for whoever is signed in, and the request. */
export type Show = (api: Api, c: Context<App>) => Promise<Response>;

/** What a form does, and what it was sent with. */
export type Act = (api: Api, c: Context<App>, form: Form) => Promise<Response>;

/** The pages of an application. */
export class Pages {
  readonly app: OpenAPIHono<App>;

  constructor(app: OpenAPIHono<App>) {
    this.app = app;
  }

  /** A page for whoever has a session; others are led to the way in. */
  show(path: string, show: Show): void {
    this.app.get(path, withCookie, (c) => this.signedIn(c, show));
  }

  /** What a form of such a page does, which is of at most `bytes`. */
  act(path: string, act: Act, bytes: number = LIMITS.formBytes): void {
    this.app.post(path, ownForms, (c) =>
      this.signedIn(c, async (api) => act(api, c, await readForm(c, bytes))),
    );
  }

  /** What the API refuses is said on a page. Who it is is asked first: of a stranger nothing is read. */
  async signedIn(c: Context<App>, show: Show): Promise<Response> {
    const isPage = c.req.method === "GET";
    const session = sessionOf(c);
    if (session === undefined)
      return c.redirect(isPage ? `/?${new URLSearchParams({ to: pathHere(c) })}` : "/", 303);
    try {
      const api = new Api(this.app, c, session);
      c.set("visitor", await api.whoAmI());
      return await show(api, c);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status !== 401) return refusalPage(c, error);
      dropSession(c);
      return signInPage(c, { fault: error, to: isPage ? pathHere(c) : "/" });
    }
  }
}

/** Whether the browser says that a page of this Worker's asks; with a WebSocket it says the origin alone. */
export function isFromOwnPage(c: Context<App>): boolean {
  return (
    c.req.header("Sec-Fetch-Site") === "same-origin" || c.req.header("Origin") === publicOrigin(c.req.url)
  );
}

/**
 * A page of somebody else's must not have a signed-in browser send anything here, of whatever type; the cookie does not come along
 * with that either.
 */
export const ownForms = createMiddleware<App>(async (c, next) => {
  if (isFromOwnPage(c)) return next();
  return refusalPage(c, {
    title: "Sent by another page",
    detail: "This form was sent by a page that is not of this Worker. Open this one, and send it from here.",
    status: 403,
  });
});
