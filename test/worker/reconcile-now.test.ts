// The comparison with the controller that the operator asks for: as data alone, and repaired.
import { describe, expect, it } from "vitest";
import { setAuthorized } from "../../scripts/simulated-central/state.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const ask = (query = "") => use.world.admin("POST", `/v1/reconcile${query}`);
const dryRun = () => ask("?dryRun=true");
const SAME = { settings: [], faults: [], members: [], unread: [], routes: { missing: [], leftOver: [] } };

function member(number: number) {
  const found = use.world.central.network.members.get(identity(number).node);
  if (found === undefined) throw new Error(`server ${number} is no member`);
  return found;
}

async function servers(count: number): Promise<void> {
  const key = await use.world.key({ maxUses: count });
  for (let number = 0; number < count; number++) await use.world.enrol({ key, number, name: `web${number}` });
  await use.world.settle();
  use.world.advance(60_000);
}

describe("what differs at the controller", () => {
  it("is nothing where nothing does, and nothing is written for it", async () => {
    await servers(2);
    const before = use.world.central.calls.length;
    expect((await dryRun()).json).toEqual({ dryRun: true, ...SAME });
    expect(use.world.central.calls.slice(before).map(({ method }) => method)).toEqual(["GET", "GET"]);
    expect((await ask()).json).toEqual({ dryRun: false, ...SAME });
  });

  it("is told member by member and route by route, and repaired only when that is wanted", async () => {
    await servers(5);
    const { network } = use.world.central;
    network.members.delete(identity(0).node);
    member(1).config.ipAssignments = [];
    setAuthorized(member(2), false, use.world.now());
    await use.world.admin("POST", `/v1/nodes/${identity(3).node}/revoke`);
    await use.world.settle();
    use.world.advance(60_000);
    setAuthorized(member(3), true, use.world.now());
    network.config.routes = network.config.routes.filter(({ target }) => target !== "172.28.1.0/24");
    network.config.v6AssignMode["6plane"] = false;
    const found = {
      settings: ["v6"],
      faults: [],
      members: [
        { node: identity(0).node, name: "web0", slot: 1, difference: "missing" },
        { node: identity(1).node, name: "web1", slot: 2, difference: "drifted" },
        { node: identity(2).node, name: "web2", slot: 3, difference: "taken-out-there" },
        { node: identity(3).node, name: "web3", slot: 4, difference: "still-authorized" },
      ],
      unread: [],
      routes: { missing: [{ target: "172.28.1.0/24", via: "10.147.17.1" }], leftOver: [] },
    };
    const asked = await dryRun();
    expect([asked.status, asked.json]).toEqual([200, { dryRun: true, ...found }]);
    expect(network.config.v6AssignMode["6plane"]).toBe(false);
    expect(await use.world.outbox()).toEqual([]);
    expect((await dryRun()).json).toEqual({ dryRun: true, ...found });
    // The operator's word is taken first, and the route of the node goes with it.
    expect((await ask()).json).toEqual({
      dryRun: false,
      ...found,
      routes: { ...found.routes, leftOver: [{ target: "172.28.3.0/24", via: "10.147.17.3" }] },
    });
    await use.world.settle();
    use.world.advance(60_000);
    expect((await dryRun()).json).toEqual({ dryRun: true, ...SAME });
    expect(member(0).config).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.1"] });
    expect(member(3).config.authorized).toBe(false);
    expect(network.config.v6AssignMode["6plane"]).toBe(true);
  });

  it("is not known while the controller does not answer", async () => {
    await servers(1);
    for (const query of ["?dryRun=true", ""]) {
      use.world.central.fail("GET", "", { kind: "status", status: 500 });
      const { status, json } = await ask(query);
      expect([status, json["type"]]).toEqual([503, "/problems/controller-unreachable"]);
    }
  });

  it("is looked at before the first server, and left as it is", async () => {
    expect((await ask()).json).toEqual({ dryRun: false, ...SAME });
    expect((await dryRun()).json).toEqual({ dryRun: true, ...SAME });
    expect(use.world.central.network.config.routes).toEqual([]);
  });
});
