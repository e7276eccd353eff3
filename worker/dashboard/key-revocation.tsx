/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { z } from "zod";
import type { App } from "../http/context.ts";
import { type KeyView, keySchema, revokedKeySchema } from "../schema/key.ts";
import { nodesSchema } from "../schema/lease.ts";
import type { Api } from "./api.ts";
import { Decide } from "./decide.tsx";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { isOutdated, Outdated, Seen } from "./seen.tsx";
import { demand, may } from "./visitor.ts";

/** `/keys/:id/revoke`: who came in by a key, before it is taken back, and by its form that is done. */
export function keyRevocationPage(pages: Pages): void {
  pages.show("/keys/:id/revoke", async (api, c) => {
    demand(c, "keys");
    return showRevocation(c, api, false);
  });

  pages.act("/keys/:id/revoke", async (api, c, form) => {
    const nodes = form("nodes") !== "";
    if (nodes && form.all("seen").length > 0 && isOutdated(form, [whoCame(await cameBy(api, c))]))
      return showRevocation(c, api, true);
    await api.ask("POST", `${pathOf(c)}/revoke`, revokedKeySchema, { body: { nodes } });
    return c.redirect("/keys", 303);
  });
}

async function showRevocation(c: Context<App>, api: Api, isAgain: boolean): Promise<Response> {
  const [key, came] = await Promise.all([
    api.ask("GET", pathOf(c), keySchema),
    may(c, "read", "nodes") ? cameBy(api, c) : undefined,
  ]);
  const body = <Preview keyView={key} came={came} mayTakeOut={may(c, "nodes")} isAgain={isAgain} />;
  return page(c, { title: "Take a key back", place: "/keys", body });
}

/** The servers that came in by the key last, on the first page of them. */
type Came = z.output<typeof nodesSchema>;

function cameBy(api: Api, c: Context<App>): Promise<Came> {
  const query = new URLSearchParams({ key: c.req.param("id") ?? "" });
  return api.ask("GET", `/v1/nodes?${query}`, nodesSchema);
}

/** Whom a revocation with the servers would take out. */
function whoCame({ items, next }: Came): string {
  return [...items.map(({ node }) => node).sort(), ...(next === null ? [] : ["and others"])].join(" ");
}

function pathOf(c: Context<App>): string {
  return `/v1/keys/${encodeURIComponent(c.req.param("id") ?? "")}`;
}

/** `came`: the servers that came in by it last; undefined: for nobody who may not see them. */
function Preview(props: { keyView: KeyView; came: Came | undefined; mayTakeOut: boolean; isAgain: boolean }) {
  const { keyView: key, came, mayTakeOut, isAgain } = props;
  const name = key.note ?? key.id;
  return (
    <>
      <h1>Take back {name}</h1>
      <Outdated isAgain={isAgain} />
      <p>
        It lets in no other server, for good: it has let in {key.uses} of {key.maxUses}. User-data that
        carries it is good for nothing any more. Servers that are in stay in.
      </p>
      {came !== undefined && came.items.length > 0 && (
        <>
          <h2>Who came in by it</h2>
          <ul>
            {came.items.map(({ node, name, state }) => (
              <li>
                <a href={`/servers/${node}`}>{name}</a>, {state}
              </li>
            ))}
            {came.next !== null && (
              <li>
                <a href={`/?key=${key.id}`}>and others</a>
              </li>
            )}
          </ul>
        </>
      )}
      <Decide action={`/keys/${key.id}/revoke`} done="Take it back" back="/keys">
        {mayTakeOut && came !== undefined && came.items.length > 0 && (
          <>
            <Seen what={whoCame(came)} />
            <label class="check">
              <input type="checkbox" name="nodes" /> Take these servers out of the mesh too, all of them
            </label>
          </>
        )}
      </Decide>
    </>
  );
}
