// Who Cloudflare Access says is calling. Only the platform's own word counts, which stands beside the request and not in it: a header
// such as `Cf-Access-Jwt-Assertion` or `Cf-Access-Authenticated-User-Email` can be sent by anybody to a path that Access does not guard.
import type { Context } from "hono";
import { parseEmail } from "../config/access.ts";
import type { App } from "./context.ts";
import { configOf } from "./guards.ts";

declare module "hono" {
  interface ExecutionContext {
    /** Set by the platform where an Access application let the request through. */
    readonly access?: CloudflareAccessContext;
  }
}

/** The e-mail under which the application of the settings let the request in; undefined where none did, or it is another one. */
export async function accessEmail(c: Context<App>): Promise<string | undefined> {
  const config = configOf(c.env);
  const audience = config.ok ? config.value.access?.audience : undefined;
  const access = c.executionCtx.access;
  if (audience === undefined || access === undefined || access.aud !== audience) return undefined;
  const email: unknown = (await access.getIdentity())?.email;
  // A service token has none: programs use admin tokens.
  return typeof email === "string" ? parseEmail(email) : undefined;
}
