// Who may see a page, and who may send its form.
import type { Context } from "hono";
import { csrf } from "hono/csrf";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { Api, Refused } from "./api.ts";
import { refusalPage } from "./refusal-page.tsx";
import { dropSession, sessionOf } from "./session-cookie.ts";
import { signInPage } from "./sign-in-page.tsx";

/** What a page is made with: the API for whoever is signed in, and the request. */
export type Show = (api: Api, c: Context<App>) => Promise<Response>;

/** The pages of an application. */
export class Pages {
  readonly app: OpenAPIHono<App>;

  constructor(app: OpenAPIHono<App>) {
    this.app = app;
  }

  /** A page for whoever has a session; others are led to the way in. */
  show(path: string, show: Show): void {
    this.app.get(path, (c) => this.signedIn(c, show));
  }

  /** What a form of such a page does. */
  act(path: string, act: Show): void {
    this.app.post(path, ownForms, (c) => this.signedIn(c, act));
  }

  /** What the API refuses is said on a page. */
  async signedIn(c: Context<App>, show: Show): Promise<Response> {
    const session = sessionOf(c);
    if (session === undefined) return c.redirect("/", 303);
    try {
      return await show(new Api(this.app, c, session), c);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status !== 401) return refusalPage(c, error);
      dropSession(c);
      return signInPage(c, { text: error.detail, status: 401 });
    }
  }
}

/** A page of somebody else's must not have a signed-in browser send forms here; the cookie does not come along with those either. */
export const ownForms = createMiddleware<App>(async (c, next) => {
  try {
    return await sameOrigin(c, next);
  } catch (error) {
    if (!(error instanceof HTTPException)) throw error;
    return refusalPage(c, {
      title: "Sent by another page",
      detail:
        "This form was sent by a page that is not of this Worker. Open this one, and send it from here.",
      status: 403,
    });
  }
});

const sameOrigin = csrf();
