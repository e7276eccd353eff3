/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import { prefersHtml } from "../http/accept.ts";
import type { App } from "../http/context.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { page } from "./page.tsx";
import { Pages } from "./pages.ts";
import { sessionOf } from "./session-cookie.ts";

/**
 * The answer to a browser that asks for a page which is not there; undefined for a program, and for calls of the API. `meant`: the address
 * that is there, and was probably meant.
 */
export function lostPage(
  app: OpenAPIHono<App>,
  c: Context<App>,
  meant: string | undefined,
): Promise<Response> | undefined {
  const isOfBrowser = c.req.method === "GET" && prefersHtml(c.req.header("Accept") ?? "");
  if (!isOfBrowser || c.req.path.startsWith("/v1/")) return undefined;
  c.set("problem", "not-found");
  const parts = { title: "Not found", status: 404 } as const;
  // To whoever is not signed in it is no secret, and the object is not asked.
  if (sessionOf(c) === undefined) return page(c, { ...parts, body: <Lost meant={meant} wayOn="Sign in" /> });
  return new Pages(app).signedIn(c, async () =>
    page(c, { ...parts, place: "", body: <Lost meant={meant} wayOn="Servers" /> }),
  );
}

function Lost({ meant, wayOn }: { meant: string | undefined; wayOn: string }) {
  return (
    <>
      <h1>Not found</h1>
      <p>
        No page is under this address
        {meant !== undefined && (
          <>
            ; one is under <a href={meant}>{meant}</a>
          </>
        )}
        .
      </p>
      <p>
        <a href="/">{wayOn}</a>
      </p>
    </>
  );
}
