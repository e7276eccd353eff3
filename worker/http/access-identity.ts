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

/** Whom an application let in. */
export interface AccessIdentity {
  readonly email: string;
  /** The application's audience tag. */
  readonly audience: string;
}

/** Whom the application of the settings let in with this request; undefined where none did, or it is another one. */
export async function accessIdentity(c: Context<App>): Promise<AccessIdentity | undefined> {
  const config = configOf(c.env);
  const audience = config.ok ? config.value.access?.audience : undefined;
  const access = c.executionCtx.access;
  if (audience === undefined || access === undefined || access.aud !== audience) return undefined;
  const said: unknown = (await access.getIdentity())?.email;
  // A service token has none: programs use admin tokens.
  const email = typeof said === "string" ? parseEmail(said) : undefined;
  return email === undefined ? undefined : { email, audience };
}
