/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { App } from "../http/context.ts";
import { stylesheet } from "./stylesheet.ts";

/** What a page is made of. */
export interface PageParts {
  readonly title: string;
  readonly body: Child;
  /** Where in the menu it is; left out: for whoever is not signed in, and there is no menu. */
  readonly place?: string;
  readonly status?: 200 | 400 | 401 | 403 | 404 | 409 | 429 | 500 | 503;
}

const MENU = [
  ["/", "Servers"],
  ["/add", "Add a server"],
  ["/pool", "Pool"],
  ["/keys", "Keys"],
  ["/events", "Events"],
] as const;

/** Nothing but our own stylesheet, and forms to ourselves. */
const POLICY =
  "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A whole page as the answer. Never cached: it shows the mesh. */
export async function page(
  c: Context<App>,
  { title, body, place, status = 200 }: PageParts,
): Promise<Response> {
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title === "Meshboot" ? title : `${title} - Meshboot`}</title>
        <link rel="stylesheet" href={await stylesheet()} />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        {place !== undefined && <Menu place={place} />}
        <main id="main">{body}</main>
      </body>
    </html>
  );
  return c.html(`<!doctype html>${html.toString()}`, status, {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
  });
}

function Menu({ place }: { place: string }) {
  return (
    <header>
      <span class="name">Meshboot</span>
      <nav aria-label="Pages">
        {MENU.map(([path, name]) => (
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

/** Something that the reader is to see first. */
export function Notice({ kind = "bad", children }: { kind?: "good" | "warn" | "bad"; children?: Child }) {
  return (
    <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}
