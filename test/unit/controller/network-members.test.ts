import { describe, expect, it } from "vitest";
import type { ControllerMember } from "../../../worker/controller/controller.ts";
import { NetworkMembers } from "../../../worker/controller/network-members.ts";
import { parseNodeId } from "../../../worker/lease/ids.ts";

const node = parseNodeId("5e10000001") ?? expect.fail();

/** A controller that is answered by hand, and a clock that is set by hand. */
function makeController() {
  const answers: ((member: ControllerMember | undefined) => void)[] = [];
  const answer = () =>
    new Promise<ControllerMember | undefined>((resolve) => {
      answers.push(resolve);
    });
  const clock = { now: 0 };
  const members = new NetworkMembers(
    {
      listMembers: async () => ({ members: [], unread: [] }),
      readMember: answer,
      putMember: async () => (await answer()) ?? named("nobody"),
      removeMember: async () => void (await answer()),
    },
    () => clock.now,
  );
  const at = <T>(time: number, what: () => T): T => {
    clock.now = time;
    return what();
  };
  return { members, answers, at };
}

function named(name: string): ControllerMember {
  return { node, name, authorized: true, addresses: [], autoAssign: true, lastSeen: undefined };
}

const listOf = (...members: ControllerMember[]) => ({ members, unread: [] });

describe("the newest that was read of a member", () => {
  it("is of the list that was asked for last, whichever was answered last", () => {
    const { members } = makeController();
    members.believe(listOf(named("newer")), 20);
    members.believe(listOf(named("older")), 10);
    expect(members.newest(node)?.name).toBe("newer");
  });

  it("is of a read of its own that began after the list, and not of one before", async () => {
    const { members, answers, at } = makeController();
    const read = at(10, () => members.read(node));
    members.believe(listOf(named("list")), 20);
    answers[0]?.(named("before"));
    await read;
    expect(members.newest(node)?.name).toBe("list");
    const again = at(30, () => members.read(node));
    answers[1]?.(named("after"));
    await again;
    expect(members.newest(node)?.name).toBe("after");
    members.believe(listOf(), 40);
    expect(members.newest(node)).toBeUndefined();
  });

  it("is of the answer to a write, and nobody after a removal", async () => {
    const { members, answers, at } = makeController();
    members.believe(listOf(named("list")), 10);
    const write = at(20, () => members.put(node, { name: "written" }));
    answers[0]?.(named("written"));
    await write;
    expect(members.newest(node)?.name).toBe("written");
    const removal = at(30, () => members.remove(node));
    answers[1]?.(undefined);
    await removal;
    expect(members.newest(node)).toBeUndefined();
  });

  it("is of the read that began later, though that was answered first", async () => {
    const { members, answers, at } = makeController();
    const first = at(10, () => members.read(node));
    const second = at(20, () => members.read(node));
    answers[1]?.(named("second"));
    await second;
    answers[0]?.(named("first"));
    await first;
    expect(members.newest(node)?.name).toBe("second");
  });
});
