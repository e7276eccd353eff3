// Who may sign in by Cloudflare Access: off unless the settings name the application and who gets which scopes.
import { SCOPES, type Scope } from "../base/scope.ts";

/** The Access application that is believed, and what for. */
export interface AccessSettings {
  /** Its audience tag. */
  readonly audience: string;
  readonly grants: readonly Grant[];
}

/** Scopes for an e-mail, or for all of a domain. */
interface Grant {
  readonly who: { readonly email: string } | { readonly domain: string };
  readonly scopes: readonly Scope[];
}

const AUDIENCE = /^[0-9a-f]{64}$/;
const EMAIL = /^[^\s@"<>=,;*]{1,64}@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+)$/;
const DOMAIN = /^\*@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+)$/;

/** An e-mail as it is compared and shown; undefined for a text that is none. */
export function parseEmail(text: string): string | undefined {
  // Letters beyond A to Z stay: in lower case some of them (K, the sign of kelvin) would be those of somebody else's e-mail.
  const email = text.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return email.length <= 200 && EMAIL.test(email) ? email : undefined;
}

/** Reads both settings; null: nobody signs in by Access. Faults go into the list, and what is returned then counts for nothing. */
export function readAccess(
  audienceText: string | undefined,
  grantsText: string | undefined,
  faults: string[],
): AccessSettings | null {
  const audience = audienceText?.trim() ?? "";
  const entries = (grantsText ?? "")
    .split(";")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (audience === "" && entries.length === 0) return null;
  if (!AUDIENCE.test(audience))
    faults.push(
      "ACCESS_AUD is no audience tag: give the 64 hex digits that the Access application shows under Additional settings, or leave ACCESS_AUD and ACCESS_SCOPES empty",
    );
  if (entries.length === 0)
    faults.push(
      "ACCESS_SCOPES is not set: without it ACCESS_AUD lets nobody in; give for example `ann@example.com=admin; *@example.com=read`",
    );
  const grants = entries.flatMap((entry, at) => {
    const grant = readGrant(entry);
    if (grant === undefined)
      faults.push(
        `ACCESS_SCOPES, entry ${at + 1}: give an e-mail or *@ and a domain, =, and scopes (${SCOPES.join(", ")}), as in \`ann@example.com=read,keys\`; entries are parted by semicolons`,
      );
    return grant ?? [];
  });
  return { audience, grants };
}

function readGrant(entry: string): Grant | undefined {
  const [who = "", scopesText = "", ...more] = entry.split("=").map((part) => part.trim());
  const wanted = scopesText.split(",").map((scope) => scope.trim());
  const scopes = SCOPES.filter((scope) => wanted.includes(scope));
  const [, domain] = DOMAIN.exec(who.toLowerCase()) ?? [];
  const email = parseEmail(who);
  const isWhole = more.length === 0 && scopes.length === wanted.length;
  if (!isWhole || (domain === undefined && email === undefined)) return undefined;
  return { who: email === undefined ? { domain: domain ?? "" } : { email }, scopes };
}

/** What somebody may do whom Access let in: what the e-mail itself is given, else its domain; nothing where neither is named. */
export function scopesByAccess(settings: AccessSettings | null, email: string): readonly Scope[] {
  const grants = settings?.grants ?? [];
  const own = grants.filter(({ who }) => "email" in who && who.email === email);
  const domain = email.slice(email.lastIndexOf("@") + 1);
  const counting =
    own.length > 0 ? own : grants.filter(({ who }) => "domain" in who && who.domain === domain);
  return SCOPES.filter((scope) => counting.some(({ scopes }) => scopes.includes(scope)));
}
