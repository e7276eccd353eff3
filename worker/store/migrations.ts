// The tables of the object. A migration that was released is never edited: a change is a new number.

/**
 * The agent that a row of `nodes`, of a node in the mesh, says that it runs (SHA-256); NULL where it says nothing of the kind. To SQLite
 * a text ends at a NUL, of which its bytes tell.
 */
const agentOf = (row: string): string =>
  `CASE WHEN ${row}.state = 'active' AND length(${row}.facts ->> '$.agentSha256') = 64
     AND length(CAST(${row}.facts ->> '$.agentSha256' AS BLOB)) = 64 AND ${row}.facts ->> '$.agentSha256' NOT GLOB '*[^0-9a-f]*'
     THEN ${row}.facts ->> '$.agentSha256' END`;

/** What each migration does, in SQL; number 1 is the first. */
export const MIGRATIONS: readonly string[] = [
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
  // 4: where a node calls from; tags, which a key gives to those that it lets in (JSON)
  `ALTER TABLE nodes ADD COLUMN address TEXT;
   ALTER TABLE nodes ADD COLUMN tags TEXT;
   ALTER TABLE keys ADD COLUMN tags TEXT;`,
  // 5: user-data that a call with the same Idempotency-Key is given again; without `sealed` when its key was deleted
  `CREATE TABLE user_data (idempotency_key TEXT PRIMARY KEY, key_id TEXT NOT NULL, sealed BLOB);
   CREATE INDEX user_data_by_key ON user_data (key_id);`,
  // 6: enrolments that were refused; key_id is empty where no such key is known
  `CREATE TABLE refusals (
     node TEXT NOT NULL,
     problem TEXT NOT NULL,
     key_id TEXT NOT NULL,
     name TEXT NOT NULL,
     address TEXT,
     about TEXT,
     first_at INTEGER NOT NULL,
     last_at INTEGER NOT NULL,
     PRIMARY KEY (node, problem, key_id)
   ) WITHOUT ROWID;`,
  // 7: how many nodes a key let in, which would otherwise be counted at each enrolment
  `ALTER TABLE keys ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
   UPDATE keys SET uses = (SELECT count(*) FROM admissions WHERE key_id = keys.id);`,
  // 8: what the operator said here and at the controller, and what we wrote there without an answer
  `ALTER TABLE nodes ADD COLUMN let_in_at INTEGER;
   ALTER TABLE nodes ADD COLUMN deauthorized_at INTEGER;
   UPDATE nodes SET let_in_at = (SELECT created_at FROM outbox WHERE kind = 'member' AND subject = node)
     WHERE state = 'active';
   CREATE TABLE unheard (
     node TEXT NOT NULL,
     authorized INTEGER NOT NULL,
     at INTEGER NOT NULL,
     PRIMARY KEY (node, authorized)
   ) WITHOUT ROWID;
   INSERT INTO unheard (node, authorized, at)
     SELECT subject, 1, due_at FROM outbox
     WHERE kind = 'member' AND subject IN (SELECT node FROM nodes WHERE state = 'active');`,
  // 9: what an enrolment would otherwise read a row for each lease for. Who has which slot, many slots a row: ten characters each,
  // those of slot 1 first. How a released slot is found. The number that comes next for a name that is taken
  `CREATE TABLE slot_pages (page INTEGER PRIMARY KEY, slots TEXT NOT NULL, is_full INTEGER NOT NULL DEFAULT 0);
   CREATE INDEX slot_pages_not_full ON slot_pages (page) WHERE is_full = 0;
   INSERT INTO slot_pages (page, slots, is_full)
     WITH RECURSIVE
       used (slot, entry) AS (
         SELECT slot, node FROM nodes
         UNION ALL SELECT slot, 'ffffffffff' FROM released WHERE slot NOT IN (SELECT slot FROM nodes)
       ),
       numbered (slot) AS (
         SELECT 1 WHERE EXISTS (SELECT 1 FROM used)
         UNION ALL SELECT slot + 1 FROM numbered WHERE slot < (SELECT max(slot) FROM used)
       ),
       entries (slot, entry) AS (
         SELECT slot, coalesce(entry, '0000000000') FROM numbered LEFT JOIN used USING (slot)
       )
     SELECT (slot - 1) / 16384, group_concat(entry, '' ORDER BY slot),
       count(*) = 16384 AND min(entry) > '0000000000'
     FROM entries GROUP BY (slot - 1) / 16384;
   CREATE INDEX released_by_node ON released (node, released_at, slot);
   CREATE INDEX released_by_time ON released (released_at, slot, free_at);
   CREATE INDEX released_by_end ON released (free_at);
   CREATE TABLE name_numbers (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
   INSERT INTO name_numbers (name, next)
     WITH numbered (stem, number) AS (
       SELECT rtrim(name, '0123456789'), substr(name, length(rtrim(name, '0123456789')) + 1) FROM nodes
     )
     SELECT substr(stem, 1, length(stem) - 1), max(CAST(number AS INTEGER)) + 1 FROM numbered
     WHERE stem LIKE '%_-' AND length(number) BETWEEN 1 AND 6 AND number >= '1' GROUP BY stem;`,
  // 10: kinds that are held back as a whole, and what is due of the others
  `DROP INDEX outbox_by_time;
   CREATE INDEX outbox_by_kind ON outbox (kind, due_at);
   CREATE TABLE held (
     kind TEXT PRIMARY KEY,
     until INTEGER NOT NULL,
     failures INTEGER NOT NULL,
     used_up INTEGER NOT NULL
   ) WITHOUT ROWID;`,
  // 11: which names a key lets in, when it last let a server in, when the operator took it back; and for how long unseen its
  // servers keep their leases, where that is shorter than for others
  `ALTER TABLE keys ADD COLUMN names TEXT;
   ALTER TABLE keys ADD COLUMN last_used_at INTEGER;
   ALTER TABLE keys ADD COLUMN revoked_at INTEGER;
   ALTER TABLE keys ADD COLUMN ephemeral_minutes INTEGER;
   ALTER TABLE nodes ADD COLUMN ephemeral_minutes INTEGER;
   UPDATE keys SET last_used_at = latest.at
     FROM (SELECT key_id, max(leased_at) AS at FROM nodes GROUP BY key_id) AS latest WHERE latest.key_id = keys.id;`,
  // 12: names that keep their slots; keys that let a server in under one, and instead of whom; how the nodes ended that the
  // operator took out for good, with the tokens that they had (JSON), so that they can be told
  `CREATE TABLE reservations (
     name TEXT PRIMARY KEY,
     slot INTEGER NOT NULL UNIQUE,
     created_at INTEGER NOT NULL
   ) WITHOUT ROWID;
   ALTER TABLE keys ADD COLUMN reserved_slot INTEGER;
   ALTER TABLE keys ADD COLUMN takes_over TEXT;
   CREATE INDEX keys_by_reservation ON keys (reserved_slot) WHERE reserved_slot IS NOT NULL;
   CREATE TABLE former_nodes (
     node TEXT PRIMARY KEY,
     token_hashes TEXT NOT NULL,
     ending TEXT NOT NULL CHECK (ending IN ('replaced', 'retired', 'deleted')),
     ended_at INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX former_nodes_by_time ON former_nodes (ended_at);`,
  // 13: the audit log
  `CREATE TABLE events (
     id INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     who TEXT NOT NULL,
     who_id TEXT,
     action TEXT NOT NULL,
     node TEXT,
     name TEXT,
     slot INTEGER,
     state TEXT,
     key_id TEXT,
     was TEXT,
     why TEXT
   );`,
  // 14: admin tokens beside the one in the settings; `scopes` is JSON
  `CREATE TABLE admin_tokens (
     id TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     scopes TEXT NOT NULL,
     note TEXT,
     created_at INTEGER NOT NULL,
     expires_at INTEGER,
     last_used_at INTEGER,
     revoked_at INTEGER
   ) WITHOUT ROWID;
   ALTER TABLE events ADD COLUMN token_id TEXT;`,
  // 15: whom events are sent to, and how far they were. `actions` and `answers` are JSON, the former null for all; `due_at` is null
  // while nothing waits
  `CREATE TABLE webhooks (
     id TEXT PRIMARY KEY,
     url TEXT NOT NULL,
     actions TEXT,
     note TEXT,
     created_at INTEGER NOT NULL,
     sealed BLOB NOT NULL,
     earlier_sealed BLOB,
     earlier_until INTEGER,
     sent_through INTEGER NOT NULL,
     missed INTEGER NOT NULL DEFAULT 0,
     failures INTEGER NOT NULL DEFAULT 0,
     due_at INTEGER,
     answers TEXT NOT NULL DEFAULT '[]'
   ) WITHOUT ROWID;
   ALTER TABLE events ADD COLUMN webhook TEXT;`,
  // 16: what is asked of nodes that are few: those that are not in the mesh, and those whose last report is of a failure
  `CREATE INDEX nodes_not_active ON nodes (state, name) WHERE state <> 'active';
   CREATE INDEX failed_nodes ON nodes (name) WHERE report ->> '$.state' = 'failed';`,
  // 17: who is signed in; `token_hash` is that of the admin token that the session was begun with, and ends with it
  `CREATE TABLE sessions (
     id TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     token_hash TEXT NOT NULL,
     token_id TEXT NOT NULL,
     address TEXT,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   ) WITHOUT ROWID;`,
  // 18: what servers tell of their first boots, the oldest with the lowest id; `stages` is JSON, the time of each
  `CREATE TABLE first_boots (
     id INTEGER PRIMARY KEY,
     key_id TEXT NOT NULL,
     machine_id TEXT NOT NULL,
     node TEXT,
     name TEXT,
     address TEXT,
     state TEXT NOT NULL CHECK (state IN ('running', 'failed', 'done')),
     step TEXT,
     log TEXT,
     clock_ahead INTEGER,
     stages TEXT NOT NULL,
     at INTEGER NOT NULL,
     proven_at INTEGER,
     UNIQUE (key_id, machine_id)
   );`,
  // 19: the admin tokens that the settings have had (`replaced_at` is null of the present one); the secret that others are sealed
  // under, sealed under each of the settings' two tokens, so that either can be another one
  `CREATE TABLE root_tokens (
     hash TEXT PRIMARY KEY,
     replaced_at INTEGER,
     revoked_at INTEGER
   ) WITHOUT ROWID;
   CREATE UNIQUE INDEX present_root_token ON root_tokens (replaced_at IS NULL) WHERE replaced_at IS NULL;
   CREATE TABLE seal (
     only INTEGER PRIMARY KEY CHECK (only = 1),
     under_admin_token BLOB NOT NULL,
     under_controller_token BLOB NOT NULL
   ) WITHOUT ROWID;`,
  // 20: what a node's doctor found, `{ at, items }` as JSON; and how often it has changed which servers are in the mesh, and under which
  // name and slot. `began` tells these tables from any that were lost; what nobody was told of need not be counted. Triggers: no writer of
  // `nodes` can pass them by
  `ALTER TABLE nodes ADD COLUMN findings TEXT;
   CREATE TABLE hosts (began TEXT NOT NULL, changes INTEGER NOT NULL, told INTEGER NOT NULL);
   INSERT INTO hosts VALUES (lower(hex(randomblob(4))), 0, 0);
   CREATE TRIGGER host_came AFTER INSERT ON nodes
     WHEN new.state = 'active' AND new.delivered_at IS NOT NULL
     BEGIN UPDATE hosts SET changes = changes + 1, told = 0 WHERE told; END;
   CREATE TRIGGER host_went AFTER DELETE ON nodes
     WHEN old.state = 'active' AND old.delivered_at IS NOT NULL
     BEGIN UPDATE hosts SET changes = changes + 1, told = 0 WHERE told; END;
   CREATE TRIGGER host_changed AFTER UPDATE OF name, slot, state, delivered_at ON nodes
     WHEN CASE WHEN old.state = 'active' AND old.delivered_at IS NOT NULL THEN old.slot || ' ' || old.name END
       IS NOT CASE WHEN new.state = 'active' AND new.delivered_at IS NOT NULL THEN new.slot || ' ' || new.name END
     BEGIN UPDATE hosts SET changes = changes + 1, told = 0 WHERE told; END;`,
  // 21: what each node found of others, as JSON, and who got no answer
  `ALTER TABLE nodes ADD COLUMN probes TEXT;
   CREATE INDEX unanswered_nodes ON nodes (name) WHERE probes ->> '$.isUnanswered';`,
  // 22: which agents the nodes in the mesh say that they run, and how many run each. Triggers, as of `hosts`; a heartbeat that says the same writes nothing
  `CREATE TABLE agents (sha256 TEXT PRIMARY KEY, servers INTEGER NOT NULL) WITHOUT ROWID;
   INSERT INTO agents
     SELECT ${agentOf("nodes")} AS agent, count(*) FROM nodes WHERE agent IS NOT NULL GROUP BY agent;
   CREATE TRIGGER agent_came AFTER INSERT ON nodes WHEN ${agentOf("new")} IS NOT NULL
     BEGIN
       INSERT INTO agents VALUES (${agentOf("new")}, 1) ON CONFLICT (sha256) DO UPDATE SET servers = servers + 1;
     END;
   CREATE TRIGGER agent_went AFTER DELETE ON nodes WHEN ${agentOf("old")} IS NOT NULL
     BEGIN
       UPDATE agents SET servers = servers - 1 WHERE sha256 = ${agentOf("old")};
       DELETE FROM agents WHERE sha256 = ${agentOf("old")} AND servers = 0;
     END;
   CREATE TRIGGER agent_changed AFTER UPDATE OF facts, state ON nodes
     WHEN (old.facts IS NOT new.facts OR old.state <> new.state) AND ${agentOf("old")} IS NOT ${agentOf("new")}
     BEGIN
       UPDATE agents SET servers = servers - 1 WHERE sha256 = ${agentOf("old")};
       DELETE FROM agents WHERE sha256 = ${agentOf("old")} AND servers = 0;
       INSERT INTO agents SELECT ${agentOf("new")}, 1 WHERE ${agentOf("new")} IS NOT NULL
         ON CONFLICT (sha256) DO UPDATE SET servers = servers + 1;
     END;
   UPDATE first_boots SET proven_at = proven_at * 2 + 1 WHERE proven_at IS NOT NULL;`,
  // 23: what a controller that a node of the mesh hosts has, so that another node can make it anew: the network's document, and each member's
  `CREATE TABLE controller_documents (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;`,
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
