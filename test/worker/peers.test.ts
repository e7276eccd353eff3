import { describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const path = (number: number): string => `/v1/nodes/${identity(number).node}`;

/** Servers 0, 1, … enrol an hour apart; gives their tokens. */
async function enrolMany(count: number): Promise<string[]> {
  const key = await use.world.key({ maxUses: count });
  const tokens: string[] = [];
  for (let number = 0; number < count; number++) {
    use.world.advance(HOUR);
    tokens.push(String((await use.world.enrol({ key, number, name: `web${number}` })).json["token"]));
  }
  return tokens;
}

const beat = (number: number, token: string | undefined, headers = {}) =>
  use.world.call("POST", `${path(number)}/heartbeat`, {
    token: String(token),
    body: { state: "ok" },
    headers,
  });

const peer = (number: number) => ({
  slot: number + 1,
  node: identity(number).node,
  name: `web${number}`,
});

describe("a node's peers", () => {
  it("are told to an enrolment and a heartbeat, the asking one not among them", async () => {
    const [token] = await enrolMany(2);
    const second = await use.world.enrol({ number: 1, name: "web1" });
    expect(second.json["peers"]).toEqual([peer(0)]);
    expect((await beat(0, token)).json["peers"]).toEqual([peer(1)]);
    const { text } = await beat(0, token, { Accept: "text/plain" });
    expect(text).toMatch(new RegExp(`^PEERS=2:${identity(1).node}:web1$`, "m"));
  });

  it("are the eight that were seen last, by slot", async () => {
    const tokens = await enrolMany(11);
    use.world.advance(HOUR);
    await beat(0, tokens[0]);
    const { json } = await beat(5, tokens[5]);
    expect(json["peers"]).toEqual([0, 3, 4, 6, 7, 8, 9, 10].map(peer));
  });

  it("are not those that were revoked, or not seen for a week", async () => {
    const tokens = await enrolMany(4);
    await use.world.admin("POST", `${path(1)}/revoke`);
    use.world.advance(8 * 24 * HOUR);
    await beat(3, tokens[3]);
    expect((await beat(2, tokens[2])).json["peers"]).toEqual([peer(3)]);
  });

  it("are not told to a node that waits for approval", async () => {
    await enrolMany(1);
    const key = await use.world.key({ approval: true });
    const waiting = await use.world.enrol({ key, number: 1 });
    expect([waiting.status, waiting.json["peers"]]).toEqual([202, undefined]);
    expect((await beat(1, String(waiting.json["token"]))).json["peers"]).toEqual([]);
  });

  it("are found by an index, however many nodes there are", async () => {
    await enrolMany(1);
    const plan = await use.world.plan(
      "SELECT slot, node, name FROM nodes WHERE state = 'active' AND seen_at > 0 AND node <> '' ORDER BY seen_at DESC LIMIT 8",
    );
    expect(plan).toContain("USING INDEX active_nodes_by_sight");
    expect(plan).not.toContain("TEMP B-TREE");
  });
});
