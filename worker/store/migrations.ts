// The tables of the object. A migration that was released is never edited: a change is a new number.

const MIGRATIONS: readonly string[] = [
  // 1
  `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     max_uses INTEGER NOT NULL,
     approval INTEGER NOT NULL,
     allow_overlap INTEGER NOT NULL,
     note TEXT,
     user_data TEXT
   ) WITHOUT ROWID;
   CREATE INDEX keys_by_time ON keys (created_at, id);

   CREATE TABLE admissions (
     key_id TEXT NOT NULL,
     node TEXT NOT NULL,
     barred INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (key_id, node)
   ) WITHOUT ROWID;
   CREATE INDEX admissions_by_node ON admissions (node);

   CREATE TABLE nodes (
     node TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     slot INTEGER NOT NULL UNIQUE,
     state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'revoked')),
     revoked_by TEXT CHECK (revoked_by IN ('operator', 'controller')),
     identity TEXT,
     machine_id TEXT,
     key_id TEXT,
     token_hashes TEXT NOT NULL,
     leased_at INTEGER NOT NULL,
     seen_at INTEGER NOT NULL,
     delivered_at INTEGER,
     facts TEXT,
     report TEXT,
     reported_at INTEGER
   ) WITHOUT ROWID;

   CREATE TABLE released (
     slot INTEGER PRIMARY KEY,
     node TEXT NOT NULL,
     released_at INTEGER NOT NULL,
     free_at INTEGER
   );

   CREATE TABLE outbox (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     kind TEXT NOT NULL CHECK (kind IN ('member', 'routes', 'copy')),
     subject TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     due_at INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     fault TEXT,
     UNIQUE (kind, subject)
   );
   CREATE INDEX outbox_by_time ON outbox (due_at);`,
  // 2
  "ALTER TABLE nodes ADD COLUMN last_repair TEXT",
  // 3: whom a node may ask whether the mesh carries
  "CREATE INDEX active_nodes_by_sight ON nodes (seen_at) WHERE state = 'active';",
];

/** Brings the tables up to date: applies, in order and each in a transaction, what this object has not had yet. */
export function migrate(storage: DurableObjectStorage): void {
  const { sql } = storage;
  sql.exec("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)");
  const { had } = sql.exec<{ had: number }>("SELECT coalesce(max(number), 0) AS had FROM migrations").one();
  for (const [at, statements] of MIGRATIONS.entries()) {
    if (at < had) continue;
    storage.transactionSync(() => {
      sql.exec(statements);
      sql.exec("INSERT INTO migrations (number) VALUES (?)", at + 1);
    });
  }
}
