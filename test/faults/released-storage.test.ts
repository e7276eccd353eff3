/** A Worker that was deployed long ago and is deployed anew: what its object has stored is understood, and goes on. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { MIGRATIONS, migrate } from "../../worker/store/migrations.ts";
import { Central } from "./central.ts";
import { Clock } from "./clock.ts";
import { digestAtOnce, Host } from "./host.ts";
import { routeText } from "./judge.ts";
import { serverId } from "./simulation.ts";

beforeAll(digestAtOnce);

/** SHA-256 of each migration that was released: objects have run it, and never run it again. */
const RELEASED = [
  "bb6dbcee5f8a5304eedb27366efa21687452b6e1e24a3f7547eaffbbc6f7e2d5",
  "051da3d580f3db473ec2b3ebe83b82d8c955b570d0614e4849e1dce65cba46a5",
  "0022cd519eb413c3b5501618cb337dbdebffd67a45583e7c3270968fa66d8ec0",
  "817f92f0225d35741df49168469483826481e68e95cda6f9e262c942381aa215",
  "5d55502236536f1839d7cbf6eb5e91488f65736be5c89058a86ddc0def814fa6",
  "2f703b5959e3c277c8e0c7dbab989a75c0eb35fd340286a4000b86450cd18661",
  "04eb449fd9aa15003fce79eed9f14eaf07531cb5223c2417681ba050a493d668",
  "9ce10c6593c2575ae343e0b014f612d98b259789b2cb4e57e7ad4008c92a506b",
  "6f79e2985ba25354b59c84736a10c69e9d929bda4e6dca815954d6b896225965",
  "4da9901d64d4f01e37d7018db19a5bf357b2ed0ffb315571c9acff9dc22ca631",
  "e38e1c10f44c2cde10c75c4a4f5d478f5924d2715b94ff0968378f3b2d9b28fb",
  "b80756ec795ab976a8bed74c1e017769b74e309aa5eac0a9fd23f21f53af285d",
  "a4f7b0ee0d72ac6ad9b7042ef0cb386e226fd7f1013fd6bbbe7058054b54cb30",
];

/** A moment after the last of what the old Worker wrote. */
const NOW = 1_799_000_100_000;
const HOUR = 3_600_000;
const OPEN = "0a".repeat(32);
const SPENT = "0b".repeat(32);
const MAIL = "1b".repeat(32);
const TOKEN = "0c".repeat(32);
const LAPTOP = "1a60700001";

const identity = (server: number): string => `${serverId(server)}:0:${serverId(server)}${"0".repeat(118)}`;

/**
 * What the Worker wrote while there were the first three migrations. Server 0 is in; 1 was let in while the controller was
 * away; 2 was revoked; 3 waits for approval; 4 has no agent. 5 was deleted and its member is gone; 6 left, and the controller
 * does not know yet.
 */
const ROWS = `
INSERT INTO facts (name, value) VALUES
  ('network', '"8056c2e21c000001"'),
  ('fitness', '{"at":1798990000000,"pool":{"zerotier":"10.147.17.0/24","docker":"172.28.0.0/16","nodePrefix":24},"faults":[]}'),
  ('look', '{"at":1798999000000,"since":1798000000000,"unread":null,"faults":[]}'),
  ('slotsHeld', '{"at":1798999000000,"held":[{"slot":8,"address":"10.147.17.8","member":"1a60700001"}]}'),
  ('slotsPublished', '[1,5,7]'),
  ('slotsRouted', '{"at":1798999000000,"slots":[9]}'),
  ('conflicts', '[{"target":"172.28.9.0/24","via":"10.147.17.250"}]');
INSERT INTO keys (id, hash, created_at, expires_at, max_uses, approval, allow_overlap, note, user_data) VALUES
  ('0be0be0be0be0be0', '${OPEN}', 1798000000000, 1899000000000, 10, 0, 0, 'the web servers', NULL),
  ('5be5be5be5be5be5', '${SPENT}', 1798000000001, 1899000000000, 1, 1, 1, NULL, '{"form":"include"}');
INSERT INTO admissions (key_id, node, barred) VALUES
  ('0be0be0be0be0be0', '5e10000000', 0), ('0be0be0be0be0be0', '5e10000001', 0), ('0be0be0be0be0be0', '5e10000002', 0),
  ('0be0be0be0be0be0', '5e10000005', 1), ('0be0be0be0be0be0', '5e10000006', 0), ('5be5be5be5be5be5', '5e10000003', 0);
INSERT INTO nodes (node, name, slot, state, revoked_by, identity, machine_id, key_id, token_hashes, leased_at,
  seen_at, delivered_at, facts, report, reported_at) VALUES
  ('5e10000000', 'web1', 1, 'active', NULL, '${identity(0)}', '${"00".repeat(32)}', '0be0be0be0be0be0', '["${TOKEN}"]', 1798000000000,
   1798998000000, 1798000001000, '{"agent":"1"}', '{"state":"ok"}', 1798998000000),
  ('5e10000001', 'web2', 2, 'active', NULL, '${identity(1)}', '${"01".repeat(32)}', '0be0be0be0be0be0', '[]', 1798999900000,
   1798999900000, NULL, NULL, NULL, NULL),
  ('5e10000002', 'web3', 3, 'revoked', 'operator', '${identity(2)}', '${"02".repeat(32)}', '0be0be0be0be0be0', '["${"0d".repeat(32)}"]', 1798000000000,
   1798500000000, 1798000002000, NULL, NULL, NULL),
  ('5e10000003', 'db1', 4, 'pending', NULL, '${identity(3)}', '${"03".repeat(32)}', '5be5be5be5be5be5', '["${"0e".repeat(32)}"]', 1798999000000,
   1798999000000, NULL, NULL, NULL, NULL),
  ('5e10000004', 'node-5e10000004', 5, 'active', NULL, NULL, NULL, NULL, '[]', 1798000000000,
   1798000000000, 1798000003000, NULL, NULL, NULL);
INSERT INTO released (slot, node, released_at, free_at) VALUES
  (6, '5e10000005', 1798900000000, 1799504900000), (7, '5e10000006', 1798999950000, NULL);
INSERT INTO outbox (sequence, kind, subject, created_at, due_at, attempts, fault) VALUES
  (11, 'member', '5e10000001', 1798999900000, 1798999930000, 2, 'ControllerError: no answer within 10 s'),
  (12, 'copy', '5e10000001', 1798999900000, 1798999901500, 0, NULL),
  (13, 'copy', '5e10000006', 1798999950000, 1798999951500, 0, NULL),
  (14, 'member', '5e10000006', 1798999950000, 1798999980000, 0, NULL),
  (15, 'routes', '', 1798999950000, 1798999951000, 0, NULL);`;

/** What it wrote besides once there was the migration of that number. */
const LATER_ROWS: Readonly<Record<number, string>> = {
  2: `UPDATE nodes SET last_repair = '{"at":"2027-01-03T12:00:00.000Z","steps":["routes"]}' WHERE node = '5e10000000'`,
  4: `UPDATE nodes SET address = '192.0.2.7', tags = '["web"]' WHERE node = '5e10000000';
      UPDATE keys SET tags = '["web"]' WHERE id = '0be0be0be0be0be0';`,
  5: `INSERT INTO user_data (idempotency_key, key_id, sealed) VALUES ('order-1', '0be0be0be0be0be0', x'0102'), ('order-2', '90e90e90e90e90e9', NULL)`,
  6: `INSERT INTO refusals (node, problem, key_id, name, address, about, first_at, last_at) VALUES
      ('5e1000000a', '5be5be5be5be5be5', '5be5be5be5be5be5', 'web9', '192.0.2.9', NULL, 1798999000000, 1798999500000)`,
  7: `UPDATE keys SET uses = (SELECT count(*) FROM admissions WHERE key_id = keys.id)`,
  8: `UPDATE nodes SET let_in_at = 1798999900000 WHERE node = '5e10000001';
      UPDATE nodes SET deauthorized_at = 1798500000000 WHERE node = '5e10000002';
      INSERT INTO unheard (node, authorized, at) VALUES ('5e10000001', 1, 1798999930000);`,
  9: `INSERT INTO slot_pages (page, slots) VALUES
        (0, '5e100000005e100000015e100000025e100000035e10000004ffffffffffffffffffff');
      INSERT INTO name_numbers (name, next) VALUES ('server', 4);`,
  10: `INSERT INTO held (kind, until, failures, used_up) VALUES ('copy', 1798999990000, 2, 0)`,
  11: `UPDATE keys SET last_used_at = 1798999900000 WHERE id = '0be0be0be0be0be0';
       INSERT INTO keys (id, hash, created_at, expires_at, max_uses, approval, allow_overlap, names, revoked_at,
         ephemeral_minutes) VALUES ('0bad0bad0bad0bad', '${"0f".repeat(32)}', 1798000000002, 1899000000000, 5, 0, 0, 'ci-*',
         1798999000000, 240);`,
  12: `INSERT INTO reservations (name, slot, created_at) VALUES ('mail', 20, 1798999000000);
       UPDATE slot_pages SET slots = slots || '${"0".repeat(120)}ffffffffff' WHERE page = 0;
       INSERT INTO keys (id, hash, created_at, expires_at, max_uses, approval, allow_overlap, reserved_slot) VALUES
         ('20be20be20be20be', '${MAIL}', 1798999000000, 1899000000000, 1, 0, 0, 20);
       INSERT INTO former_nodes (node, token_hashes, ending, ended_at) VALUES
         ('5e10000005', '["${"1a".repeat(32)}"]', 'deleted', 1798900000000);`,
  13: `INSERT INTO events (at, who, who_id, action, node, name, slot, state, key_id, was, why) VALUES
       (1798900000000, 'operator', 'root', 'released', '5e10000005', 'web6', 6, 'released', NULL, NULL, 'deleted')`,
};

const TABLES = [
  "nodes",
  "keys",
  "admissions",
  "released",
  "outbox",
  "facts",
  "user_data",
  "refusals",
  "unheard",
  "slot_pages",
  "name_numbers",
  "held",
  "reservations",
  "former_nodes",
  "events",
] as const;

type Row = Readonly<Record<string, unknown>>;

/** The rows of each table that there is, as they are. */
function contents({ storage }: Host): ReadonlyMap<string, readonly Row[]> {
  const there = storage.rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
  const tables = TABLES.filter((table) => there.some(({ name }) => name === table));
  return new Map(tables.map((table) => [table, storage.rows<Row>(`SELECT * FROM ${table}`)]));
}

/** An object that the Worker of that many migrations left behind, and the controller as it was then. */
function leftBehind(migrations: number) {
  const clock = new Clock(NOW);
  const central = new Central(clock, { left() {}, landed() {}, pretended() {}, heard() {} });
  const host = new Host(clock, central, () => 0.5);
  const view = host.storage.view((value) => Promise.resolve(value));
  const { sql } = view;
  sql.exec("CREATE TABLE migrations (number INTEGER PRIMARY KEY);");
  for (const [at, statements] of MIGRATIONS.slice(0, migrations).entries()) {
    sql.exec(`${statements};`);
    sql.exec("INSERT INTO migrations (number) VALUES (?)", at + 1);
  }
  sql.exec(ROWS);
  for (const [number, rows] of Object.entries(LATER_ROWS))
    if (Number(number) <= migrations) sql.exec(`${rows};`);
  for (const [node, slot, isIn] of [
    [serverId(0), 1, true],
    [serverId(2), 3, false],
    [serverId(4), 5, true],
    [serverId(6), 7, true],
    [LAPTOP, 8, true],
  ] as const) {
    central.giveAddress(node, `10.147.17.${slot}`);
    central.authorize(node, isIn);
  }
  central.saveRoutes(() => [
    { target: "10.147.17.0/24", via: null },
    { target: "172.28.1.0/24", via: "10.147.17.1" },
    { target: "172.28.5.0/24", via: "10.147.17.5" },
    { target: "172.28.7.0/24", via: "10.147.17.7" },
    { target: "172.28.9.0/24", via: "10.147.17.250" },
  ]);
  const call = async <T>(...[work]: Parameters<typeof host.call<T>>): Promise<T> => {
    const asked = host.call(work);
    await clock.run(20_000);
    const outcome = await asked;
    if ("gone" in outcome) throw new Error("the object is gone");
    return outcome.answer;
  };
  const enrol = (server: number, keyHash: string) =>
    call((object) =>
      object.enrol({
        keyHash,
        node: serverId(server),
        identity: identity(server),
        publicKey: Uint8Array.from(Buffer.from(serverId(server).padEnd(128, "0"), "hex")),
        name: `server-${server}`,
        machineId: String(server).padStart(2, "0").repeat(32),
        localPrefixes: [],
        address: null,
        facts: null,
      }),
    );
  return { clock, central, host, view, call, enrol };
}

it("the migrations that were released are as they were", () => {
  const hashes = MIGRATIONS.map((statements) => createHash("sha256").update(statements).digest("hex"));
  expect(hashes.slice(0, RELEASED.length)).toEqual(RELEASED);
});

describe.each(RELEASED.map((_, before) => before + 1))(
  "what was stored while there were %i migrations",
  (had) => {
    it("is all there", async () => {
      const { host, view, call } = leftBehind(had);
      const before = contents(host);
      migrate(view);
      const after = contents(host);
      expect(host.storage.rows("SELECT count(*) AS number FROM migrations")).toEqual([
        { number: MIGRATIONS.length },
      ]);
      for (const [table, rows] of before)
        expect(after.get(table)).toEqual(rows.map((row) => expect.objectContaining(row)));
      const keys = await call((object) => object.listKeys(2, undefined));
      expect(keys.map(({ uses }) => uses)).toEqual([5, 1]);
    });

    it("goes on", async () => {
      const { clock, central, host, call, enrol } = leftBehind(had);
      const beat = {
        node: serverId(0),
        tokenHash: TOKEN,
        report: "{}",
        repaired: [],
        findings: null,
        address: null,
        facts: null,
        probes: undefined,
      };
      expect(await call((object) => object.heartbeat(beat))).toMatchObject({
        ok: true,
        value: { slot: 1, state: "active" },
      });
      expect(await enrol(0, OPEN)).toMatchObject({ ok: true, value: { lease: { slot: 1, name: "web1" } } });
      expect(await enrol(2, OPEN)).toMatchObject({
        ok: false,
        error: { problem: "revoked", reason: "taken-out" },
      });
      expect(await enrol(3, SPENT)).toMatchObject({
        ok: true,
        value: { lease: { slot: 4, state: "pending" } },
      });
      expect(await enrol(5, OPEN)).toMatchObject({
        ok: false,
        error: { problem: "revoked", reason: "barred" },
      });
      expect(await enrol(7, SPENT)).toMatchObject({ ok: false, error: { problem: "key-spent" } });
      // The first that nobody has, had a while ago, or routes.
      expect(await enrol(7, OPEN)).toMatchObject({ ok: true, value: { lease: { slot: 10 } } });
      await call((object) => object.reconcile());
      await clock.run(HOUR);

      expect(host.storage.rows("SELECT * FROM outbox")).toEqual([]);
      expect(host.storage.rows("SELECT node, slot, state FROM nodes ORDER BY slot")).toEqual([
        { node: serverId(0), slot: 1, state: "active" },
        { node: serverId(1), slot: 2, state: "active" },
        { node: serverId(2), slot: 3, state: "revoked" },
        { node: serverId(3), slot: 4, state: "pending" },
        { node: serverId(4), slot: 5, state: "active" },
        { node: serverId(7), slot: 10, state: "active" },
      ]);
      const members = [...central.network.members].filter(([, { config }]) => config.authorized);
      expect(members.map(([node, { config }]) => `${node} ${config.ipAssignments}`).sort()).toEqual([
        `${LAPTOP} 10.147.17.8`,
        `${serverId(0)} 10.147.17.1`,
        `${serverId(1)} 10.147.17.2`,
        `${serverId(4)} 10.147.17.5`,
        `${serverId(7)} 10.147.17.10`,
      ]);
      expect(central.network.config.routes.map(routeText)).toContain("172.28.9.0/24 via 10.147.17.250");
      expect(central.network.config.routes.map(routeText)).not.toContain("172.28.7.0/24 via 10.147.17.7");
      const released = host.storage.rows<{ slot: number; free_at: number }>(
        "SELECT slot, free_at FROM released ORDER BY slot",
      );
      expect(released[0]).toEqual({ slot: 6, free_at: 1_799_504_900_000 });
      expect(released[1]?.free_at).toBeGreaterThan(NOW + 6 * 24 * HOUR);
      expect([...host.copies.keys()].sort()).toContain(`node/${serverId(1)}`);
      if (had < 12) return;
      expect(await enrol(8, MAIL)).toMatchObject({ ok: true, value: { lease: { slot: 20, name: "mail" } } });
    });

    it("is backed up and restored", async () => {
      const { central, host, call } = leftBehind(had);
      const backup = await call((object) => object.exportBackup());
      if (!backup.ok) throw new Error(JSON.stringify(backup.error));
      const leases =
        "SELECT node, name, slot, state, token_hashes, leased_at, seen_at FROM nodes ORDER BY slot";
      const before = host.storage.rows(leases);
      const there = structuredClone(central.network);
      host.loseStorage();
      const by = { who: "operator", id: "root" } as const;
      const restored = await call((object) => object.restoreBackup(backup.value, false, by));
      expect(restored).toMatchObject({
        ok: true,
        value: { differences: [], strangers: [{ member: LAPTOP, slot: 8 }] },
      });
      expect(host.storage.rows(leases)).toEqual(before);
      expect(central.network).toEqual(there);
    });
  },
);
