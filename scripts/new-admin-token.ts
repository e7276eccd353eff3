import { makeSecret } from "../worker/base/secret.ts";

/** A new admin token: 128 random bits. */
export function newAdminToken(): string {
  return makeSecret("mba", (bytes) => crypto.getRandomValues(bytes));
}
