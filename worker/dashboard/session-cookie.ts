import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { secretKind } from "../base/secret.ts";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";

const NAME = "meshboot";

/** Only for this host, only by https (browsers take localhost for safe too), and for no script. */
const OPTIONS = { prefix: "host", path: "/", secure: true, httpOnly: true, sameSite: "Strict" } as const;

/** The session that the browser carries, if it has the form of one. */
export function sessionOf(c: Context<App>): string | undefined {
  const session = getCookie(c, NAME, "host");
  return session !== undefined && secretKind(session) === "mbs" ? session : undefined;
}

export function keepSession(c: Context<App>, session: string, seconds: number = LIMITS.sessionSeconds): void {
  setCookie(c, NAME, session, { ...OPTIONS, maxAge: seconds });
}

export function dropSession(c: Context<App>): void {
  deleteCookie(c, NAME, OPTIONS);
}
