import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { LIMITS } from "../config/limits.ts";
import { describePool } from "../lease/pool.ts";
import type { Upkeep } from "../reconcile/upkeep.ts";
import { backupOf, isEmpty } from "./backup.ts";

/** A storage that was lost looks so, and its export must not take the place of one with leases. */
const EMPTY =
  "there is neither lease nor key nor reservation here, so nothing to back up. If there were some, the storage is lost: keep the backups that you have, and restore one (docs/worker-lost.md)";

/** All that is stored and cannot be found out again, as one JSON document (UTF-8) of one moment. */
export function exportBackup({ config, stores, now }: Upkeep): Result<Uint8Array, Refusal> {
  const { networkId: network, pool } = config;
  const snapshot = stores.snapshot.read();
  if (isEmpty(snapshot)) return err({ problem: "backup-unfit", faults: [EMPTY] });
  const bytes = backupOf(snapshot, { network, pool: describePool(pool), madeAt: now() });
  if (bytes.length <= LIMITS.backupBytes) return ok(bytes);
  return err({
    problem: "backup-unfit",
    faults: [
      `it would have ${bytes.length} bytes, and POST /v1/restore takes ${LIMITS.backupBytes}: the copies in Workers KV are your backup (POST /v1/rebuild)`,
    ],
  });
}
