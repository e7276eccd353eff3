import { z } from "zod";

const made = z.object({ key: z.string() });
const YEAR_SECONDS = 365 * 86_400;
const MANY = 1_000_000;

/**
 * A key that lets in any number of servers: the one from the last start while the Worker still knows it, otherwise a new
 * one. Throws with the Worker's answer when none can be made.
 */
export async function ensureEnrolmentKey(
  url: string,
  adminToken: string,
  known: string | undefined,
): Promise<string> {
  if (known !== undefined && (await fetch(`${url}/boot/${known}`)).ok) return known;
  const response = await fetch(`${url}/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ expiresIn: YEAR_SECONDS, maxUses: MANY, note: "made by npm start" }),
  });
  const text = await response.text();
  if (response.status !== 201)
    throw new Error(`The Worker made no enrolment key: ${response.status} ${text}`);
  return made.parse(JSON.parse(text)).key;
}
