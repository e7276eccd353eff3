/** Rows by the storage's own count, as the platform bills them. */
export interface Rows {
  readonly read: number;
  readonly written: number;
}

/** Counts the rows that statements of this storage read and write from now on; what it returns ends that and gives them. */
export function countRows({ sql }: DurableObjectStorage): () => Rows {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  const exec = sql.exec.bind(sql);
  sql.exec = (query, ...values) => {
    const cursor = exec<Record<string, SqlStorageValue>>(query, ...values);
    cursors.push(cursor);
    return cursor as never;
  };
  return () => {
    sql.exec = exec;
    const sum = (of: "rowsRead" | "rowsWritten") => cursors.reduce((rows, cursor) => rows + cursor[of], 0);
    return { read: sum("rowsRead"), written: sum("rowsWritten") };
  };
}
