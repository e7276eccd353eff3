/** The audit log says what the tables say, whatever was done; and where it did not, that would be found. */
import { beforeAll, describe, expect, it } from "vitest";
import { faultsOfLog } from "./event-log.ts";
import { digestAtOnce } from "./host.ts";
import type { Action } from "./schedule.ts";
import { Simulation, serverId } from "./simulation.ts";

beforeAll(digestAtOnce);

const HOUR = 3_600_000;

/** Does one thing after the other, so many ms apart. */
async function play(pause: number, ...actions: readonly Action[]): Promise<Simulation> {
  const simulation = await Simulation.begin();
  await simulation.play(...actions.map((action) => ({ ...action, pause })));
  return simulation;
}

/** What is done again and again. */
const repeat = (times: number, ...actions: readonly Action[]): Action[] =>
  Array.from({ length: times }, () => actions).flat();

/** What the log says of a server, the oldest first. */
function logOf({ host }: Simulation, server: number): string[] {
  return host.storage
    .rows<{ node: string | null; who: string; action: string; why: string | null }>(
      "SELECT node, who, action, why FROM events ORDER BY id",
    )
    .filter(({ node }) => node === serverId(server))
    .map(({ who, action, why }) => [who, action, why ?? []].flat().join(" "));
}

describe("the log has", () => {
  it("a lease that ends by time", async () => {
    const simulation = await play(
      HOUR / 2,
      { do: "enrol", server: 0, by: "ephemeral" },
      { do: "enrol", server: 1 },
      ...repeat(6, { do: "heartbeat", server: 1 }, { do: "cron" }),
    );
    expect(logOf(simulation, 0)).toEqual(["node enrolled", "cron released unseen-ephemeral"]);
    expect(simulation.judge.violations).toEqual([]);
  });

  it("a lasting one that does", async () => {
    const simulation = await play(4 * HOUR, { do: "enrol", server: 0 }, ...repeat(32 * 6, { do: "cron" }));
    expect(logOf(simulation, 0)).toEqual(["node enrolled", "cron released unseen"]);
    expect(simulation.judge.violations).toEqual([]);
  });

  it("what the operator decides at the controller, and here", async () => {
    const simulation = await play(
      HOUR,
      { do: "enrol", server: 0 },
      { do: "deauthorize", server: 0 },
      { do: "cron" },
      { do: "authorize", server: 0 },
      { do: "cron" },
      ...repeat(2, { do: "revoke", server: 0 }),
      ...repeat(2, { do: "approve", server: 0 }),
      { do: "revokeKey", kind: "open" },
      { do: "remove", server: 0 },
      { do: "put", server: 0 },
      { do: "enrol", server: 0 },
    );
    expect(logOf(simulation, 0)).toEqual([
      "node enrolled",
      "controller revoked deauthorized-at-controller",
      "controller approved authorized-at-controller",
      "operator revoked",
      "operator approved",
      // Of one that is in as well: his word is newer then than any at the controller.
      "operator approved",
      "operator revoked with-its-key",
      "operator released deleted",
      "operator assigned",
      "node enrolled first-proof",
    ]);
    expect(simulation.judge.violations).toEqual([]);
  });
});

describe("it would be found that", () => {
  /** What is found when somebody has changed the tables. */
  async function found(sql: string): Promise<readonly string[]> {
    const simulation = await play(
      HOUR,
      { do: "enrol", server: 0 },
      { do: "rename", server: 0 },
      { do: "enrol", server: 1 },
      { do: "enrol", server: 3 },
      { do: "tag", server: 3, tags: ["app"], renames: false },
      { do: "tag", server: 3, tags: ["app", "db"], renames: false },
      { do: "makeToken", token: 0, scope: "read" },
      { do: "rotateToken", token: 0, hours: 1 },
      { do: "rotateRoot", hours: 1 },
      { do: "leave", server: 1 },
      { do: "reserve", name: 0 },
      { do: "retire", server: 0 },
      { do: "enrol", server: 2 },
    );
    const { storage } = simulation.host;
    expect(faultsOfLog(storage)).toEqual([]);
    storage.view((value) => Promise.resolve(value)).sql.exec(sql);
    return faultsOfLog(storage);
  }

  it.each([
    ["an event is not there", "DELETE FROM events WHERE action = 'renamed'"],
    ["the last event is not there", "DELETE FROM events WHERE action = 'released'"],
    [
      "an event is there without a change",
      "INSERT INTO events (at, who, action, node, name, slot, state, was) SELECT 2e12, who, action, node, name, slot, state, was FROM events WHERE action = 'renamed'",
    ],
    ["an event says less than happened", "UPDATE events SET slot = 9 WHERE action = 'enrolled' AND slot = 1"],
    ["a lease has changed", "UPDATE nodes SET state = 'revoked', revoked_by = 'operator'"],
    ["a lease is gone", "DELETE FROM nodes"],
    ["a node has come by another key", "UPDATE nodes SET key_id = 'other'"],
    ["a key was taken back", "UPDATE keys SET revoked_at = 1 WHERE uses > 0"],
    ["a name is reserved no more", "DELETE FROM reservations WHERE name = 'db'"],
    [
      "the name that a node left is called otherwise",
      "UPDATE reservations SET name = 'other' WHERE name <> 'db'",
    ],
    ["a key is gone", "DELETE FROM keys WHERE uses > 0"],
    ["tags have not changed", "UPDATE nodes SET tags = '[\"app\"]' WHERE tags IS NOT NULL"],
    ["tags were changed twice to the same", "UPDATE events SET was = NULL WHERE action = 'tagged'"],
    ["a token that was rotated is gone", "DELETE FROM admin_tokens WHERE note IS NULL"],
    ["the ADMIN_TOKEN before is gone", "DELETE FROM admin_tokens WHERE id = 'former'"],
    ["an event was written too early", "UPDATE events SET at = at + 1e9 WHERE action = 'enrolled'"],
  ])("%s", async (_, sql) => {
    expect(await found(sql)).not.toEqual([]);
  });
});
