/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { type KeyView, keySchema, revokedKeySchema } from "../schema/key.ts";
import { nodesSchema } from "../schema/lease.ts";
import { Decide } from "./decide.tsx";
import type { Node } from "./node.ts";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { demand, may } from "./visitor.ts";

/** `/keys/:id/revoke`: who came in by a key, before it is taken back, and by its form that is done. */
export function keyRevocationPage(pages: Pages): void {
  pages.show("/keys/:id/revoke", async (api, c) => {
    demand(c, "keys");
    const [key, came] = await Promise.all([
      api.ask("GET", pathOf(c), keySchema),
      may(c, "read", "nodes")
        ? api.ask("GET", `/v1/nodes?${new URLSearchParams({ key: c.req.param("id") ?? "" })}`, nodesSchema)
        : undefined,
    ]);
    const body = <Preview keyView={key} came={came} mayTakeOut={may(c, "nodes")} />;
    return page(c, { title: "Take a key back", place: "/keys", body });
  });

  pages.act("/keys/:id/revoke", async (api, c, form) => {
    const nodes = form("nodes") !== "";
    await api.ask("POST", `${pathOf(c)}/revoke`, revokedKeySchema, { body: { nodes } });
    return c.redirect("/keys", 303);
  });
}

function pathOf(c: Context<App>): string {
  return `/v1/keys/${encodeURIComponent(c.req.param("id") ?? "")}`;
}

/** `came`: the servers that came in by it last; undefined: for nobody who may not see them. */
function Preview(props: {
  keyView: KeyView;
  came: { readonly items: readonly Node[]; readonly next: string | null } | undefined;
  mayTakeOut: boolean;
}) {
  const { keyView: key, came, mayTakeOut } = props;
  const name = key.note ?? key.id;
  return (
    <>
      <h1>Take back {name}</h1>
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
          <label class="check">
            <input type="checkbox" name="nodes" /> Take these servers out of the mesh too, all of them
          </label>
        )}
      </Decide>
    </>
  );
}
