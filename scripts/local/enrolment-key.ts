import { z } from "zod";

const made = z.object({ key: z.string() });
const YEAR_SECONDS = 365 * 86_400;
const MANY = 1_000_000;

/** The Worker to ask, and the operator's token. */
interface Operator {
  readonly url: string;
  readonly adminToken: string;
}

/**
 * A key that lets in any number of servers: the one from the last start while the Worker still knows it, otherwise a new
 * one. Throws with the Worker's answer when none can be made.
 */
export async function ensureEnrolmentKey(operator: Operator, known: string | undefined): Promise<string> {
  if (known !== undefined && (await fetch(`${operator.url}/boot/${known}`)).ok) return known;
  return makeKey(operator, { expiresIn: YEAR_SECONDS, maxUses: MANY, note: "made by npm start" });
}

/** A new key with those terms, as in `POST /v1/keys`. Throws with the Worker's answer when none can be made. */
export async function makeKey(
  { url, adminToken }: Operator,
  terms: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<string> {
  const response = await fetch(`${url}/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(terms),
    ...(signal && { signal }),
  });
  const text = await response.text();
  if (response.status !== 201)
    throw new Error(`The Worker made no enrolment key: ${response.status} ${text}`);
  return made.parse(JSON.parse(text)).key;
}
