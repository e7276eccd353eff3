// The network's members at the controller. Calls run beside one another there, so the newest that was read of a member is kept:
// a change that is written as a whole must not follow from an older one.
import type { NodeId } from "../lease/ids.ts";
import type { Controller, ControllerMember, MemberChange, MemberList } from "./controller.ts";

type MemberCalls = Pick<Controller, "listMembers" | "readMember" | "putMember" | "removeMember">;

/** A member as it was at some time; undefined when there was none. */
interface Seen {
  /** When the call began that found it so (ms since 1970). */
  readonly at: number;
  readonly member: ControllerMember | undefined;
}

export class NetworkMembers {
  readonly #controller: MemberCalls;
  readonly #now: () => number;
  #list = { at: 0, members: new Map<string, ControllerMember>() };
  /** What was read of single members since the list. */
  readonly #since = new Map<string, Seen>();

  constructor(controller: MemberCalls, now: () => number) {
    this.#controller = controller;
    this.#now = now;
  }

  /** All of them. Kept once they are {@link believe}d. */
  list(): Promise<MemberList> {
    return this.#controller.listMembers();
  }

  /** Keeps a list that was asked for then (ms since 1970), unless a newer one is known. */
  believe({ members }: MemberList, readAt: number): void {
    if (readAt < this.#list.at) return;
    this.#list = { at: readAt, members: new Map(members.map((member) => [member.node, member])) };
    for (const [node, { at }] of this.#since) if (at <= readAt) this.#since.delete(node);
  }

  /** The member as it was read last, alone or with all the others; undefined when there was none. */
  newest(node: string): ControllerMember | undefined {
    const seen = this.#since.get(node);
    return seen === undefined ? this.#list.members.get(node) : seen.member;
  }

  read(node: NodeId): Promise<ControllerMember | undefined> {
    return this.#keep(node, this.#controller.readMember(node));
  }

  put(node: NodeId, change: MemberChange): Promise<ControllerMember> {
    return this.#keep(node, this.#controller.putMember(node, change));
  }

  async remove(node: NodeId): Promise<void> {
    await this.#keep(
      node,
      this.#controller.removeMember(node).then(() => undefined),
    );
  }

  async #keep<T extends ControllerMember | undefined>(node: string, call: Promise<T>): Promise<T> {
    const at = this.#now();
    const member = await call;
    if (at >= Math.max(this.#list.at, this.#since.get(node)?.at ?? 0)) this.#since.set(node, { at, member });
    return member;
  }
}
