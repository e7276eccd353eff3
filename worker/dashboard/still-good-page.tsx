/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";
import type { Refused } from "./api.ts";
import { Moment } from "./moment.tsx";
import { Notice, page } from "./page.tsx";
import { pageStatus } from "./refusal-page.tsx";

/** For whoever left a session that the Worker could not be told to end: the browser has forgotten it, the Worker has not. */
export function stillGoodPage(
  c: Context<App>,
  { title, refused, to }: { title: string; refused: Refused; to: string },
): Promise<Response> {
  const latest = new Date(Date.now() + LIMITS.sessionSeconds * 1000).toISOString();
  const body = (
    <>
      <h1>{title}</h1>
      <Notice>
        <p>The session could not be ended at the Worker: {refused.detail}</p>
      </Notice>
      <p>
        This browser has forgotten it. Whoever has a copy can use it for twelve hours from its beginning,
        until <Moment time={latest} /> at the latest.
      </p>
      <p>
        To end it before, ask <code>GET /v1/sessions</code> for its id, then{" "}
        <code>DELETE /v1/sessions/:id</code>, both with an admin token that has the scope admin. It also ends
        when the token ends that it was begun with.
      </p>
      <p>
        <a class="button" href={to}>
          Go on
        </a>
      </p>
    </>
  );
  return page(c, { title, body, status: pageStatus(refused.status), retryAfter: refused.retryAfter });
}
