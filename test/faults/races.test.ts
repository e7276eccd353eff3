/** Orders in which calls, answers and what an operator does met badly once. Each stays as it was found. */
import { beforeAll, describe, expect, it } from "vitest";
import type { CallKind, Fault } from "./central.ts";
import { digestAtOnce } from "./host.ts";
import { routeText } from "./judge.ts";
import type { Action, Step } from "./schedule.ts";
import { Simulation, serverId } from "./simulation.ts";

beforeAll(digestAtOnce);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A step, and ms until the next. */
const step = (action: Action, pause = MINUTE): Step => ({ ...action, pause });
const enrol = (server: number, pause = MINUTE): Step => step({ do: "enrol", server }, pause);
const by = (
  what: "approve" | "revoke" | "remove" | "rename" | "leave" | "put" | "ask",
  server: number,
  pause = MINUTE,
): Step => step({ do: what, server }, pause);
const there = (what: "authorize" | "deauthorize" | "deleteMember", server: number, pause = MINUTE): Step =>
  step({ do: what, server }, pause);
const cron = (pause = MINUTE): Step => step({ do: "cron" }, pause);
const route = (slot: number, pause = 0): Step => step({ do: "addRoute", slot, byHand: false }, pause);
const routeByHand = (slot: number, pause = 0): Step => step({ do: "addRoute", slot, byHand: true }, pause);
const laptop = (slot: number, pause = 0): Step => step({ do: "addLaptop", slot }, pause);
const fault = (on: CallKind | "any", what: Fault["what"], ms = 0, status = 500): Step =>
  step({ do: "fault", fault: { on, what, ms, status } }, 0);

const setUp = (server: number, slot: number): Step => step({ do: "setUp", server, slot, routed: true }, 0);
const adopt = (pause = MINUTE): Step => step({ do: "adopt" }, pause);
const leases = ({ host }: Simulation) =>
  host.storage.rows<{ node: string; slot: number }>("SELECT node, slot FROM nodes ORDER BY slot");

async function play(...steps: Step[]): Promise<Simulation> {
  const simulation = await Simulation.begin();
  await simulation.play(...steps);
  return simulation;
}

/** Lets all come to rest, and returns what must not have happened. */
async function violations(simulation: Simulation): Promise<readonly string[]> {
  await simulation.rest();
  return simulation.judge.violations;
}

const routesOf = ({ central }: Simulation): string[] => central.network.config.routes.map(routeText);
const memberOf = ({ central }: Simulation, server: number) => central.member(serverId(server))?.config;

describe("what was read earlier never replaces what was read later", () => {
  it("a route that the operator adds while the hourly run lists the members", async () => {
    const simulation = await play(
      enrol(0),
      fault("listMembers", "slow", 2_500),
      cron(500),
      route(2),
      enrol(1, 2_500),
      enrol(2),
    );
    expect(simulation.answers).toEqual(["enrol 0: active 1", "enrol 1: active 3", "enrol 2: active 4"]);
    expect(await violations(simulation)).toEqual([]);
  });

  it("an address that the operator gives while the hourly run waits for the list", async () => {
    const simulation = await play(
      enrol(0),
      fault("listMembers", "slow", 2_500),
      cron(900),
      laptop(2),
      enrol(1, 2_300),
      enrol(2),
    );
    expect(simulation.answers).toEqual(["enrol 0: active 1", "enrol 1: active 3", "enrol 2: active 4"]);
    expect(await violations(simulation)).toEqual([]);
  });

  it("a route that the hourly run sees while the first server's settings are on their way", async () => {
    const simulation = await play(fault("readNetwork", "slow", 600), enrol(0, 300), route(2), cron());
    expect(await violations(simulation)).toEqual([]);
  });

  it("a route that the first hourly run sees while the first server's slot is not told yet", async () => {
    const simulation = await play(fault("writeNetwork", "slow", 500), enrol(0, 700), route(1), cron());
    expect(simulation.answers.at(-1)).toBe("enrol 0: active 2");
    expect(await violations(simulation)).toEqual([]);
  });

  it("an address that the hourly run sees between two tries of a first delivery", async () => {
    const simulation = await play(
      enrol(0, HOUR),
      fault("writeMember", "lost"),
      enrol(1, 740),
      step({ do: "secondAddress", server: 1, outside: false }, 0),
      cron(),
    );
    expect(memberOf(simulation, 1)?.ipAssignments).toEqual(["10.147.17.2", "10.147.17.201"]);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a slot is compared with what others hold just before it is delivered", () => {
  it("in a chain of enrolments, each close behind the one before", async () => {
    const simulation = await play(enrol(0, 2_500), laptop(3), enrol(1, 2_500), enrol(2, 2_500), enrol(3));
    expect(simulation.answers).toEqual([
      "enrol 0: active 1",
      "enrol 1: active 2",
      "enrol 2: active 4",
      "enrol 3: active 5",
    ]);
    expect(await violations(simulation)).toEqual([]);
  });

  it("when it was leased while the controller was away", async () => {
    const simulation = await play(
      enrol(0),
      fault("readNetwork", "status"),
      fault("writeMember", "status"),
      laptop(2),
      enrol(1),
      enrol(1),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 1: active 3");
    expect(memberOf(simulation, 1)?.ipAssignments).toEqual(["10.147.17.3"]);
    expect(await violations(simulation)).toEqual([]);
  });

  it("and also when a route to it came meanwhile", async () => {
    const simulation = await play(
      enrol(0),
      fault("readNetwork", "status"),
      fault("writeMember", "status"),
      route(2),
      enrol(1),
      enrol(1),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 1: active 3");
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a server that was taken out before it was ever let in", () => {
  it("is compared as a new one when it is let in", async () => {
    const simulation = await play(
      enrol(0),
      fault("readNetwork", "status"),
      fault("readNetwork", "status"),
      enrol(1, 700),
      by("revoke", 1, 5 * SECOND),
      route(2, 5 * SECOND),
      by("approve", 1),
    );
    expect(simulation.answers.slice(1)).toEqual([
      "enrol 1: controller-unreachable",
      "take out 1: done",
      "approve 1: active 3 delivered",
    ]);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a server that has a new lease", () => {
  it("is compared as a new one, though the controller only now answers of the lease before", async () => {
    const simulation = await play(
      by("put", 0),
      fault("writeMember", "slow", 5 * SECOND),
      by("revoke", 0, 0),
      by("remove", 0, 300),
      by("put", 0, 1_500),
      laptop(1),
      step({ do: "wait" }),
    );
    expect(simulation.answers.at(-1)).toBe("put 0: active 2 delivered");
    expect(await violations(simulation)).toEqual([]);
  });

  it("made in the same millisecond as the one before, does not pass for that one", async () => {
    const simulation = await play(
      enrol(1, 1_500),
      by("put", 0, 0),
      by("remove", 0, 0),
      step({ do: "enrol", server: 0, by: "approval" }),
    );
    expect(simulation.host.storage.rows("SELECT state, delivered_at FROM nodes WHERE slot = 2")).toEqual([
      { state: "pending", delivered_at: null },
    ]);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a member that was authorized before its server asked to be let in", () => {
  const asked = () =>
    play(enrol(1), there("authorize", 0), step({ do: "enrol", server: 0, by: "approval" }), cron());

  it("stays so while its request waits", async () => {
    const simulation = await asked();
    expect(memberOf(simulation, 0)?.authorized).toBe(true);
    expect(await violations(simulation)).toEqual([]);
  });

  it.each(["remove", "revoke"] as const)("stays so when the request is turned down (%s)", async (verb) => {
    const simulation = await asked();
    await simulation.play(by(verb, 0));
    expect(memberOf(simulation, 0)?.authorized).toBe(true);
    expect(await violations(simulation)).toEqual([]);
  });

  it("stays so when time ends the request", async () => {
    const simulation = await asked();
    for (let hours = 0; hours < 32 * 24; hours += 4) await simulation.play(cron(4 * HOUR));
    expect(simulation.host.storage.rows("SELECT node FROM nodes WHERE state = 'pending'")).toEqual([]);
    expect(memberOf(simulation, 0)?.authorized).toBe(true);
  });
});

describe("a write of ours that lands late is not the operator's word", () => {
  it("a revocation that lands after the approval", async () => {
    const simulation = await play(
      enrol(0),
      fault("writeMember", "late", 14 * SECOND),
      by("revoke", 0, 11 * SECOND),
      by("approve", 0, 5 * SECOND),
    );
    expect(memberOf(simulation, 0)?.authorized).toBe(false);
    await simulation.play(cron(2 * MINUTE));
    expect(memberOf(simulation, 0)?.authorized).toBe(true);
    expect(await violations(simulation)).toEqual([]);
  });

  it("an authorization that lands after the revocation", async () => {
    const simulation = await play(
      enrol(0),
      there("deauthorize", 0, 0),
      cron(),
      fault("writeMember", "late", 14 * SECOND),
      by("approve", 0, 11 * SECOND),
      by("revoke", 0, 5 * SECOND),
      cron(2 * MINUTE),
    );
    expect(memberOf(simulation, 0)?.authorized).toBe(false);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a name", () => {
  it("that a late write of ours has undone is written once more", async () => {
    const simulation = await play(
      enrol(1),
      fault("writeMember", "late", 75 * SECOND),
      enrol(0, 15 * SECOND),
      by("rename", 0, 2 * HOUR),
    );
    expect(simulation.central.member(serverId(0))?.name).toBe("server-0");
    await simulation.play(cron());
    expect(simulation.central.member(serverId(0))?.name).toBe("name-0");
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a server that was taken out at the controller", () => {
  const takenOut = () => play(enrol(0), there("deauthorize", 0));

  it("is let in by an approval, though its lease was active all the time", async () => {
    const simulation = await takenOut();
    await simulation.play(by("approve", 0));
    expect(simulation.answers.at(-1)).toBe("approve 0: active 1 delivered");
    expect(memberOf(simulation, 0)?.authorized).toBe(true);
    await simulation.play(cron());
    expect(memberOf(simulation, 0)?.authorized).toBe(true);
    expect(await violations(simulation)).toEqual([]);
  });

  it("is told so when it enrols", async () => {
    const simulation = await takenOut();
    await simulation.play(enrol(0));
    expect(simulation.answers.at(-1)).toBe("enrol 0: revoked");
    expect(await violations(simulation)).toEqual([]);
  });

  it("is shown so by PUT", async () => {
    const simulation = await takenOut();
    await simulation.play(by("put", 0));
    expect(simulation.answers.at(-1)).toBe("put 0: revoked 1 delivered");
    expect(await violations(simulation)).toEqual([]);
  });

  it("stays out when it is renamed", async () => {
    const simulation = await takenOut();
    await simulation.play(by("rename", 0));
    expect(memberOf(simulation, 0)?.authorized).toBe(false);
    expect(await violations(simulation)).toEqual([]);
  });

  it("stays out when a change from before is still to be delivered", async () => {
    const simulation = await play(
      enrol(0),
      ...Array.from({ length: 4 }, () => fault("writeMember", "status")),
      by("rename", 0, 0),
      there("deauthorize", 0, HOUR),
    );
    expect(memberOf(simulation, 0)?.authorized).toBe(false);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a server that is deleted and leased again in the same moment", () => {
  it("has its slot again, though the controller has not taken that it was out", async () => {
    const simulation = await play(
      enrol(1, 500),
      by("put", 0, 1_500),
      fault("writeMember", "status"),
      by("remove", 0, 0),
      by("put", 0),
      by("put", 0),
    );
    expect(simulation.answers.at(-1)).toBe("put 0: active 2 delivered");
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a lease that was moved from its slot before it was told, and back", () => {
  it("is told all the same", async () => {
    const refused = Array.from({ length: 3 }, () => fault("writeMember", "status"));
    const simulation = await play(
      fault("writeMember", "lost"),
      ...refused,
      enrol(0, 5 * SECOND),
      route(1, 15 * SECOND),
      step({ do: "removeRoutes" }, 0),
      route(2, MINUTE),
      enrol(0),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 0: active 1");
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a release that waits for the controller", () => {
  it("does not end the lease that the server was given in between", async () => {
    const simulation = await play(
      enrol(0),
      fault("readMember", "slow", 5 * SECOND),
      by("leave", 0, SECOND),
      enrol(0),
    );
    expect(simulation.answers.at(-2)).toBe("enrol 0: active 1");
    expect(simulation.host.storage.rows("SELECT slot FROM nodes")).toEqual([{ slot: 1 }]);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a route is ours when we wrote it, not because its slot is leased", () => {
  it("the operator's own route to a slot beyond the limit", async () => {
    const simulation = await play(
      ...[11, 12, 13, 14].map((slot) => route(slot)),
      enrol(0),
      routeByHand(1),
      cron(),
    );
    expect(routesOf(simulation)).toContain("172.28.1.0/24 via 10.147.17.1");
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a decision at the controller that the answer to a write shows", () => {
  it("counts, though the member was read before it", async () => {
    const simulation = await play(
      enrol(0),
      fault("readMember", "slow", 3 * SECOND),
      by("rename", 0, SECOND),
      there("deauthorize", 0),
      cron(),
    );
    expect(memberOf(simulation, 0)?.authorized).toBe(false);
    expect(simulation.answers.at(-1)).toBe("rename 0: revoked 1 delivered");
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("the list of routes, which is replaced as a whole", () => {
  it("is not written for its order", async () => {
    const simulation = await play(enrol(0), enrol(1));
    simulation.central.saveRoutes((routes) => routes.toReversed());
    const before = routesOf(simulation);
    await simulation.play(cron(), enrol(2, 500));
    expect(routesOf(simulation)).toEqual(before);
    expect(await violations(simulation)).toEqual([]);
  });

  it("is looked at after a write: what a page wiped that showed an older list is back at once", async () => {
    const simulation = await play(enrol(0));
    const shown = simulation.central.network.config.routes;
    await simulation.play(enrol(1, 3 * SECOND));
    expect(routesOf(simulation)).toContain("172.28.2.0/24 via 10.147.17.2");
    simulation.central.saveRoutes(() => [...shown]);
    await simulation.play(step({ do: "wait" }));
    expect(routesOf(simulation)).toContain("172.28.2.0/24 via 10.147.17.2");
    expect(await violations(simulation)).toEqual([]);
  });

  it("a route that a late write of ours wiped is put back", async () => {
    const simulation = await play(
      enrol(0),
      fault("writeNetwork", "late", 40 * SECOND),
      enrol(1, 20 * SECOND),
      route(9, 1 * SECOND),
      cron(10 * MINUTE),
    );
    expect(routesOf(simulation)).toContain("172.28.9.0/24 via 10.147.17.250");
    expect(await violations(simulation)).toEqual([]);
  });

  it("a route of ours that landed after its lease had ended does not keep the slot for ever", async () => {
    const simulation = await play(
      enrol(0),
      fault("writeNetwork", "late", 40 * SECOND),
      enrol(1, 14 * SECOND),
      by("remove", 1, 20 * SECOND),
    );
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("what the operator gave a member stays", () => {
  it.each([true, false])("a second address, outside of what is leased: %s", async (outside) => {
    const simulation = await play(
      enrol(0),
      step({ do: "secondAddress", server: 0, outside }),
      by("rename", 0),
    );
    expect(memberOf(simulation, 0)?.ipAssignments).toHaveLength(2);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("the removal of a member", () => {
  it("is not believed because a page says 200", async () => {
    const simulation = await play(
      enrol(0),
      fault("writeMember", "page"),
      fault("deleteMember", "page"),
      by("remove", 0, 10 * MINUTE),
    );
    expect(memberOf(simulation, 0)).toBeUndefined();
    expect(await violations(simulation)).toEqual([]);
  });

  it("is looked at again when a write of ours may land after it", async () => {
    const simulation = await play(
      enrol(1),
      fault("writeMember", "late", 40 * SECOND),
      enrol(0, 12 * SECOND),
      by("remove", 0, 10 * MINUTE),
      cron(),
    );
    expect(memberOf(simulation, 0)?.authorized).not.toBe(true);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a server whose removal still waits when it asks to be in again", () => {
  it("is taken out when it is deleted before it was let in", async () => {
    const simulation = await play(
      enrol(0),
      fault("writeMember", "silence"),
      by("leave", 0, 5 * SECOND),
      enrol(0, 5_300),
      by("remove", 0),
    );
    expect(simulation.answers).toContain("enrol 0: revoked");
    expect(memberOf(simulation, 0)?.authorized).not.toBe(true);
    expect(await violations(simulation)).toEqual([]);
  });

  it("is taken out when it is approved and revoked before it was let in", async () => {
    const simulation = await play(
      by("put", 0),
      fault("writeMember", "silence"),
      by("remove", 0, 5 * SECOND),
      step({ do: "enrol", server: 0, by: "approval" }, 5_300),
      by("approve", 0, 0),
      by("revoke", 0),
    );
    expect(memberOf(simulation, 0)?.authorized).not.toBe(true);
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a member that was deleted at the controller while its server runs", () => {
  it("is put back, though it was made anew there meanwhile", async () => {
    const simulation = await play(enrol(0), there("deleteMember", 0), by("ask", 0), cron());
    expect(memberOf(simulation, 0)).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.1"] });
    expect(await violations(simulation)).toEqual([]);
  });

  it("is put back when the server enrols", async () => {
    const simulation = await play(enrol(0), there("deleteMember", 0), enrol(0));
    expect(memberOf(simulation, 0)).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.1"] });
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("what the object relies on", () => {
  it("an alarm that the platform lost is set again", async () => {
    const simulation = await play(enrol(0, 500), step({ do: "loseAlarm" }), enrol(1, HOUR), enrol(2));
    expect(await violations(simulation)).toEqual([]);
  });

  it.each(["null", "empty"] as const)("one list of members that is %s is not believed", async (what) => {
    const simulation = await play(enrol(0), laptop(2), cron(), fault("listMembers", what), enrol(1));
    expect(memberOf(simulation, 1)?.ipAssignments ?? []).not.toContain("10.147.17.2");
    await simulation.play(enrol(1));
    expect(simulation.answers.at(-1)).toBe("enrol 1: active 3");
    expect(await violations(simulation)).toEqual([]);
  });

  it.each(["null", "empty"] as const)(
    "nor are two that are %s before the first server came",
    async (what) => {
      const simulation = await play(
        laptop(1),
        fault("listMembers", what),
        fault("listMembers", what),
        enrol(0),
      );
      expect(memberOf(simulation, 0)?.ipAssignments ?? []).not.toContain("10.147.17.1");
      await simulation.play(enrol(0), enrol(0));
      expect(simulation.answers.at(-1)).toBe("enrol 0: active 2");
      expect(await violations(simulation)).toEqual([]);
    },
  );

  it("null for the network's lists is not believed at once", async () => {
    const simulation = await play(enrol(0), route(2), fault("readNetwork", "hollow"), enrol(1), cron());
    expect(simulation.answers.at(-1)).toBe("enrol 1: active 3");
    expect(routesOf(simulation)).toEqual([
      "10.147.17.0/24",
      "172.28.1.0/24 via 10.147.17.1",
      "172.28.2.0/24 via 10.147.17.250",
      "172.28.3.0/24 via 10.147.17.3",
    ]);
    expect(await violations(simulation)).toEqual([]);
  });

  it("null for the network's lists in the answer to a write is not believed either", async () => {
    const simulation = await play(route(1), fault("writeNetwork", "hollow"), enrol(0), cron());
    expect(simulation.answers.at(-1)).toBe("enrol 0: active 2");
    expect(await violations(simulation)).toEqual([]);
  });

  it("a request that is turned down costs no slot", async () => {
    const simulation = await play(
      step({ do: "enrol", server: 0, by: "approval" }),
      by("remove", 0),
      enrol(1),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 1: active 1");
    expect(await violations(simulation)).toEqual([]);
  });

  it("a node that is leased again by PUT is let in by its own key", async () => {
    const simulation = await play(enrol(0), by("remove", 0), by("put", 0), enrol(0));
    expect(simulation.answers.slice(-2)).toEqual(["put 0: active 1 delivered", "enrol 0: active 1"]);
    expect(await violations(simulation)).toEqual([]);
  });

  it("a slot is reused after its quarantine", async () => {
    const simulation = await play(
      enrol(0),
      by("remove", 0, 8 * DAY),
      step({ do: "put", server: 1, slot: 1 }),
    );
    expect(simulation.answers.at(-1)).toBe("put 1: active 1 delivered");
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a server in another's place", () => {
  const reserve = (name: number): Step => step({ do: "reserve", name });
  const enrolBy = (server: number, key: "reserved" | "replacement", pause = MINUTE): Step =>
    step({ do: "enrol", server, by: key }, pause);
  const replace = (server: number): Step => step({ do: "replace", server });
  const retire = (server: number, pause = MINUTE): Step => step({ do: "retire", server }, pause);

  it("gets its address when that one is out, and not before", async () => {
    const simulation = await play(
      enrol(0),
      replace(0),
      fault("deleteMember", "status"),
      fault("deleteMember", "silence"),
      enrolBy(1, "replacement"),
      enrolBy(1, "replacement"),
      enrolBy(1, "replacement"),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 1: active 1");
    expect(memberOf(simulation, 0)).toBeUndefined();
    expect(await violations(simulation)).toEqual([]);
  });

  it("waits while a call that let that one in may still land", async () => {
    const simulation = await play(
      enrol(1),
      fault("writeMember", "late", 75 * SECOND),
      enrol(0, 12 * SECOND),
      replace(0),
      enrolBy(2, "replacement", 2 * MINUTE),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 2: former-holder");
    await simulation.play(step({ do: "wait" }, 10 * MINUTE), enrolBy(2, "replacement"));
    expect(simulation.answers.at(-1)).toBe("enrol 2: active 2");
    expect(memberOf(simulation, 0)?.authorized).not.toBe(true);
    expect(await violations(simulation)).toEqual([]);
  });

  it("is refused the address while the operator has let that one in with it at the controller", async () => {
    const simulation = await play(
      reserve(0),
      enrolBy(0, "reserved"),
      retire(0, HOUR),
      step({ do: "readmit", server: 0 }),
      enrolBy(1, "reserved"),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 1: slot-taken");
    await simulation.play(there("deleteMember", 0), enrolBy(1, "reserved"));
    expect(simulation.answers.at(-1)).toBe("enrol 1: active 1");
    expect(await violations(simulation)).toEqual([]);
  });

  it("does not wait for one that waits for its own", async () => {
    const simulation = await play(
      reserve(0),
      enrolBy(0, "reserved"),
      reserve(1),
      enrolBy(1, "reserved"),
      ...Array.from({ length: 8 }, () => fault("writeMember", "status")),
      retire(0, SECOND),
      retire(1, SECOND),
      step({ do: "put", server: 0, name: 1 }, SECOND),
      step({ do: "put", server: 1, name: 0 }, 10 * MINUTE),
    );
    expect(memberOf(simulation, 0)).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.2"] });
    expect(memberOf(simulation, 1)).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.1"] });
    expect(await violations(simulation)).toEqual([]);
  });

  it("leaves the quarantine of the one before when it never came in itself", async () => {
    const simulation = await play(
      reserve(0),
      enrolBy(0, "reserved"),
      retire(0),
      fault("writeMember", "status", 0, 429),
      enrolBy(1, "reserved", 3 * SECOND),
      by("remove", 1),
      enrol(2),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 2: active 2");
    expect(await violations(simulation)).toEqual([]);
  });

  it("is told to the controller once nobody else is in its slot, though its member was there before", async () => {
    const simulation = await play(
      reserve(0),
      fault("writeMember", "lost"),
      enrolBy(0, "reserved", 0),
      step({ do: "wait" }, SECOND),
      laptop(1),
      step({ do: "wait" }, HOUR),
      enrolBy(0, "reserved"),
    );
    expect(simulation.answers.at(-1)).toBe("enrol 0: slot-taken");
    await simulation.play(step({ do: "removeLaptop" }, HOUR), enrolBy(0, "reserved"));
    expect(simulation.answers.at(-1)).toBe("enrol 0: active 1");
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("servers that were set up by hand are adopted", () => {
  const both = [
    { node: serverId(0), slot: 2 },
    { node: serverId(1), slot: 3 },
  ];

  it("all of them or none, wherever the object crashes; and in the end all", async () => {
    const sizes = new Set<number>();
    for (const loses of [false, true])
      for (let events = 0; events < 60; events += 2) {
        const simulation = await play(
          setUp(0, 2),
          setUp(1, 3),
          adopt(0),
          step({ do: "crash", events, loses }, 20 * SECOND),
        );
        sizes.add(leases(simulation).length);
        await simulation.play(adopt(), cron());
        expect(leases(simulation)).toEqual(both);
        expect(routesOf(simulation)).toEqual([
          "10.147.17.0/24",
          "172.28.2.0/24 via 10.147.17.2",
          "172.28.3.0/24 via 10.147.17.3",
        ]);
        expect(await violations(simulation)).toEqual([]);
      }
    expect([...sizes].sort()).toEqual([0, 2]);
  });

  it("not with what the operator takes away, adds or leases while he looks at the list", async () => {
    for (const meanwhile of [route(2), laptop(2), there("deauthorize", 0, 0), enrol(0, 0), by("put", 0, 0)])
      for (let pause = 0; pause < 1_500; pause += 150) {
        const simulation = await play(
          setUp(0, 2),
          setUp(1, 3),
          adopt(pause),
          { ...meanwhile, pause: MINUTE },
          cron(),
          adopt(),
        );
        expect(leases(simulation)).toContainEqual(both[1]);
        expect(await violations(simulation)).toEqual([]);
      }
  });

  it("and leave no route behind when the network's settings, written for them, land after they are gone", async () => {
    const simulation = await play(
      setUp(0, 2),
      fault("writeNetwork", "queued", 20_000),
      adopt(3_000),
      step({ do: "retire", server: 0 }, MINUTE),
      cron(),
      cron(15 * MINUTE),
    );
    expect(routesOf(simulation)).toEqual(["10.147.17.0/24"]);
    expect(await violations(simulation)).toEqual([]);
  });

  it("while a write of the routes may still land that knows nothing of theirs", async () => {
    const simulation = await play(
      enrol(2, 200),
      fault("writeNetwork", "queued", 20_000),
      enrol(3, 3_000),
      setUp(0, 3),
      adopt(),
      cron(),
      adopt(),
    );
    expect(leases(simulation)).toContainEqual({ node: serverId(0), slot: 3 });
    expect(await violations(simulation)).toEqual([]);
  });
});

describe("a server that was set up by hand keeps its slot when it enrols", () => {
  it.each(["status", "late", "lost", "slow"] as const)(
    "also when the first that the controller is told of it fails: %s",
    async (what) => {
      const simulation = await play(
        setUp(0, 3),
        fault("writeMember", what, 12_000),
        enrol(0, 10 * MINUTE),
        enrol(0),
        cron(),
      );
      expect(leases(simulation)).toEqual([{ node: serverId(0), slot: 3 }]);
      expect(memberOf(simulation, 0)?.ipAssignments).toEqual(["10.147.17.3"]);
      expect(await violations(simulation)).toEqual([]);
    },
  );

  it("and an address that it is given while its lease waits stays, though a lease has it that nobody was told", async () => {
    const { judge, central } = await Simulation.run({
      chance: 0,
      steps: [
        step({ do: "enrol", server: 0 }, 0),
        step({ do: "enrol", server: 1 }, 86),
        { ...fault("listMembers", "slow", 10 * SECOND), pause: 306 },
        cron(1_805),
        enrol(3, 2),
        step({ do: "setUp", server: 1, slot: 3, routed: true }, 17_101),
      ],
    });
    expect(central.member(serverId(1))?.config.ipAssignments).toEqual(["10.147.17.2", "10.147.17.3"]);
    expect(judge.violations).toEqual([]);
  });

  it("also while it waits to be approved, and with a second address of its own", async () => {
    const simulation = await play(
      setUp(0, 3),
      setUp(0, 4),
      step({ do: "enrol", server: 0, by: "approval" }),
      cron(),
      fault("writeMember", "status"),
      by("approve", 0, 10 * MINUTE),
      cron(),
    );
    expect(leases(simulation)).toEqual([{ node: serverId(0), slot: 3 }]);
    expect(memberOf(simulation, 0)?.ipAssignments).toEqual(["10.147.17.3", "10.147.17.4"]);
    expect(await violations(simulation)).toEqual([]);
  });
});
