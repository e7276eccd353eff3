/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import type { Refused } from "./api.ts";
import { Notice, type PageParts, page } from "./page.tsx";

/** What was refused, in the API's words, where there is no form to say it beside. */
export function refusalPage(
  c: Context<App>,
  { title, detail, status, retryAfter }: Pick<Refused, "title" | "detail" | "status"> & Partial<Refused>,
): Promise<Response> {
  const body = (
    <>
      <h1>{title}</h1>
      <Notice>
        <p>{detail}</p>
      </Notice>
      <p>
        <a href="/">Servers</a>
      </p>
    </>
  );
  return page(c, { title, place: "", body, status: pageStatus(status), retryAfter });
}

/** The API's status, as far as a page has one. */
export function pageStatus(status: number): NonNullable<PageParts["status"]> {
  switch (status) {
    case 400:
    case 401:
    case 403:
    case 404:
    case 409:
    case 413:
    case 415:
    case 422:
    case 429:
    case 503:
      return status;
    default:
      return 500;
  }
}
