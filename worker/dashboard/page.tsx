/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import { allows, type Scope } from "../base/scope.ts";
import type { Topic } from "../base/topic.ts";
import type { App } from "../http/context.ts";
import { script } from "./script.ts";
import { stylesheet } from "./stylesheet.ts";

/** What a page is made of. */
export interface PageParts {
  readonly title: string;
  readonly body: Child;
  /** Where in the menu it is; left out: for whoever is not signed in, and there is no menu. */
  readonly place?: string;
  /** What it shows: when one of these changes, the page is asked for again where a script runs. Left out: for a page that stays as it is. */
  readonly live?: readonly Topic[];
  readonly status?: 200 | 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 500 | 503;
  /** Seconds after which asking again may help. */
  readonly retryAfter?: number | undefined;
  /** The path that the browser goes on to by itself. */
  readonly refreshTo?: string;
}

/** The pages, and of which scopes any is enough for each. */
const MENU: readonly (readonly [path: string, name: string, scopes: readonly Scope[]])[] = [
  ["/", "Servers", ["read", "nodes"]],
  ["/add", "Add a server", ["keys"]],
  ["/pool", "Pool", ["read", "nodes"]],
  ["/keys", "Keys", ["read", "keys"]],
  ["/events", "Events", ["read"]],
];

/** Nothing but our own stylesheet and script, what that asks of ourselves, and forms to ourselves. */
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A whole page as the answer. Never cached: it shows the mesh. */
export async function page(
  c: Context<App>,
  { title, body, place, live, status = 200, retryAfter, refreshTo }: PageParts,
): Promise<Response> {
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title === "Meshboot" ? title : `${title} - Meshboot`}</title>
        {refreshTo !== undefined && <meta http-equiv="refresh" content={`0; url=${refreshTo}`} />}
        <link rel="stylesheet" href={await stylesheet.path()} />
        {place !== undefined && <script type="module" src={await script.path()} />}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        {place !== undefined && <Menu place={place} scopes={c.get("visitor")?.scopes} />}
        <main id="main" {...(live !== undefined && { "data-live": live.join(" ") })}>
          {body}
        </main>
        {place !== undefined && <Notes />}
      </body>
    </html>
  );
  return c.html(`<!doctype html>${html.toString()}`, status, {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    // Without any, browsers send forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    ...(retryAfter !== undefined && { "Retry-After": String(retryAfter) }),
  });
}

/** `scopes`: of whoever is signed in, where that is known. */
function Menu({ place, scopes }: { place: string; scopes: readonly Scope[] | undefined }) {
  const shown = MENU.filter(([, , anyOf]) => scopes === undefined || allows(scopes, anyOf));
  return (
    <header>
      <span class="name">Meshboot</span>
      <nav aria-label="Pages">
        {shown.map(([path, name]) => (
          <a href={path} {...(path === place && { "aria-current": "page" })}>
            {name}
          </a>
        ))}
      </nav>
      <form method="post" action="/sign-out">
        <button type="submit">Sign out</button>
      </form>
    </header>
  );
}

/** Where the script says what it did, and that it can do nothing; for a screen reader they are there before. */
function Notes() {
  return (
    <>
      <p id="live-note" role="status" />
      <p id="copy-note" role="status" class="unseen" />
    </>
  );
}

/** Something that the reader is to see first. */
export function Notice({ kind = "bad", children }: { kind?: "good" | "warn" | "bad"; children?: Child }) {
  return (
    <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}
