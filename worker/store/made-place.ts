import type { Database } from "./database.ts";

/** A place in a list in the order of making: that of what was made then (ms since 1970), under that id. */
export interface MadePlace {
  readonly createdAt: number;
  readonly id: string;
}

/** Rows in the order of their making, at most `limit`, those after the place. `select`: the query up to its table. */
export function listByMaking<Row extends Record<string, SqlStorageValue>>(
  db: Database,
  select: string,
  limit: number,
  after: MadePlace | undefined,
): Row[] {
  return db.read<Row>(
    `${select} WHERE (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
    after?.createdAt ?? -1,
    after?.id ?? "",
    limit,
  );
}
