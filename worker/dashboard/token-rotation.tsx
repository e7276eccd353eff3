/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { newAdminTokenSchema } from "../schema/admin-token.ts";
import { Decide } from "./decide.tsx";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { NewToken } from "./tokens.tsx";
import { demand } from "./visitor.ts";

/** `/tokens/:id/rotate`: another token in place of that one, which is good for a day more, or ends at once. */
export function tokenRotationPages(pages: Pages): void {
  pages.show("/tokens/:id/rotate", async (_, c) => {
    demand(c, "admin");
    return page(c, { title: "Rotate a token", place: "/tokens", body: <RotationPreview id={idOf(c)} /> });
  });

  for (const [way, body] of Object.entries({ rotate: {}, "rotate-now": { overlapHours: 0 } }))
    pages.act(`/tokens/:id/${way}`, async (api, c) => {
      const { token } = await api.ask("POST", `/v1/tokens/${idOf(c)}/rotate`, newAdminTokenSchema, { body });
      return page(c, { title: "A new token", place: "/tokens", body: <NewToken token={token} /> });
    });
}

function idOf(c: Context<App>): string {
  return encodeURIComponent(c.req.param("id") ?? "");
}

function RotationPreview({ id }: { id: string }) {
  const at = `/tokens/${id}`;
  return (
    <>
      <h1>Rotate token {id}</h1>
      <p>
        Another token is made with the same scopes and note, and for as long. This one stays good for 24 hours
        more, so that what uses it can be changed meanwhile.
      </p>
      <Decide action={`${at}/rotate`} done="Make another token" back="/tokens" isHarmless />
      <h2>It has leaked</h2>
      <p>Then it ends now, and whoever is signed in with it is signed out.</p>
      <Decide action={`${at}/rotate-now`} done="Replace it at once" back="/tokens" />
    </>
  );
}
