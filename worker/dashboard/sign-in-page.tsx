/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { configOf } from "../http/guards.ts";
import { workerHealth } from "../routes/worker-health.ts";
import { ACCESS_PATH } from "./access-path.ts";
import type { Refused } from "./api.ts";
import { Health } from "./health.tsx";
import { Notice, page } from "./page.tsx";
import { pageStatus } from "./refusal-page.tsx";

/** For whoever is not signed in: whether this Worker works, nothing of the mesh, and the way in, which leads on to the path `to`. `fault`: why they are not. */
export async function signInPage(
  c: Context<App>,
  { fault, to = "/" }: { readonly fault?: Refused; readonly to?: string } = {},
): Promise<Response> {
  const health = await workerHealth(c);
  const isConfigured = health.status !== "misconfigured";
  return page(c, {
    title: "Meshboot",
    status: fault === undefined ? (isConfigured ? 200 : 503) : pageStatus(fault.status),
    retryAfter: fault?.retryAfter,
    body: (
      <>
        <h1>Meshboot</h1>
        <p>Docker hosts that join one dual-stack ZeroTier mesh by themselves at first boot.</p>
        {fault !== undefined && (
          <Notice>
            <p>{fault.detail}</p>
          </Notice>
        )}
        {isConfigured && <SignIn to={to} />}
        {isByAccess(c) && (
          <p>
            <a class="button" href={`${ACCESS_PATH}?${new URLSearchParams({ to })}`}>
              Sign in by Cloudflare Access
            </a>
          </p>
        )}
        <Health health={health} />
        <p>
          The API is described at <a href="/openapi.json">/openapi.json</a>; for monitoring there is{" "}
          <a href="/healthz">/healthz</a>.
        </p>
      </>
    ),
  });
}

function isByAccess(c: Context<App>): boolean {
  const config = configOf(c.env);
  return config.ok && config.value.access !== null;
}

function SignIn({ to }: { to: string }) {
  return (
    <form class="row" method="post" action="/sign-in">
      {to !== "/" && <input type="hidden" name="to" value={to} />}
      <label>
        Admin token
        <input type="password" name="token" autocomplete="current-password" required maxlength={256} />
      </label>
      <button type="submit">Sign in</button>
    </form>
  );
}
