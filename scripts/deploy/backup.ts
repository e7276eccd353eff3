import type { LiveWorker } from "./live-worker.ts";
import type { Place } from "./place.ts";
import { Refused } from "./refused.ts";
import { writePrivate } from "./settings.ts";

/** Keeps a backup of all leases in the deployment's folder; gives its path. Throws a Refused when there is none to be had. */
export async function keepBackup(worker: LiveWorker, place: Place, now: Date): Promise<string> {
  const told = await worker.backup();
  if ("refused" in told) {
    throw new Refused(
      `No backup was made: ${told.refused}. Put that right, or go on without one: --without-backup. Nothing was changed at Cloudflare`,
    );
  }
  return writePrivate(place.folder, `backup-${now.toISOString().replace(/[:.]/g, "-")}.json`, told.ok);
}
