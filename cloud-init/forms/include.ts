import type { Server } from "../server-files.ts";
import { UserDataError } from "../user-data-error.ts";

/** What the smallest known user-data fields take. */
const LIMIT = 128;

/**
 * A pointer to the cloud-config that the Worker serves under the key. `#include-once`, because a plain
 * `#include` is fetched again at every boot on clouds without a local instance-id check.
 */
export function include({ url, key }: Server): string {
  const text = `#include-once\n${url}/boot/${key}\n`;
  if (text.length > LIMIT) {
    throw new UserDataError(
      "url",
      `the include form would be ${text.length} bytes, over its ${LIMIT}: use a shorter host name, or the form cloud-config, which fits wherever user-data is taken`,
    );
  }
  return text;
}
