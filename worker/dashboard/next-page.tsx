/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";

/** The way to the rest of a list at `path`, which is asked for by `search`; nothing at its end. `text`: when it is no usual next page. */
export function NextPage(props: {
  path: string;
  search?: URLSearchParams;
  next: string | null;
  text?: string | undefined;
}) {
  const { path, search, next, text = "Next page" } = props;
  if (next === null) return null;
  const further = new URLSearchParams(search);
  further.set("cursor", next);
  return (
    <p>
      <a class="button" rel="next" href={`${path}?${further}`}>
        {text}
      </a>
    </p>
  );
}

/** The query by which the API is asked for the part of a list that the page's address names. */
export function partQuery(c: Context<App>): string {
  const cursor = c.req.query("cursor");
  return cursor === undefined ? "" : `?${new URLSearchParams({ cursor })}`;
}
