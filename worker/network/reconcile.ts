// Compares what is stored with what the controller has, and repairs the difference. What the operator does at the
// controller counts: a member deauthorized there is revoked here. Nothing is ever removed there that is not ours.
import { parseAddress } from "../address/prefix.ts";
import { ControllerError, type ControllerMember } from "../controller/controller.ts";
import { errorText } from "../http/log.ts";
import { stateAt } from "../lease/lease-times.ts";
import { slotOfAddress } from "../lease/pool.ts";
import { queueCopy, queueMember, queueRoutes } from "./lease-changes.ts";
import type { NetworkContext } from "./network-context.ts";
import { endLease } from "./node-operations.ts";
import type { StoredNode } from "./node-store.ts";
import { planRoutes } from "./route-publisher.ts";

/** Runs once an hour, and remembers for the health how it found the controller. */
export async function reconcile(net: NetworkContext): Promise<void> {
  const { facts } = net.stores;
  const note = (unread: string | null, faults: readonly string[]): void =>
    facts.setLook({ at: net.now(), unread, faults: [...faults] });
  try {
    // Before the first server comes, the network is only looked at: it may be the wrong one still.
    const faults = facts.fitness() === undefined ? await net.readiness.inspect() : await repair(net);
    note(null, faults);
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    net.log("reconcile-failed", { error: errorText(error) });
    note(error.message, []);
  }
}

/** Answers what stands against the mesh. While the controller cannot be read nothing is released: it may have seen a node that we have not. */
async function repair(net: NetworkContext): Promise<readonly string[]> {
  const { network, faults } = await net.readiness.makeFit();
  const members = await net.controller.listMembers();
  net.stores.transaction(() => {
    net.readiness.noteMembers(members);
    repairMembers(net, members);
    age(net);
    const { changed } = planRoutes(net.stores, net.config, network.routes, net.log, net.now());
    if (changed) queueRoutes(net.stores, net.now());
  });
  return faults;
}

function repairMembers(net: NetworkContext, members: readonly ControllerMember[]): void {
  const byNode = new Map(members.map((member) => [member.node, member]));
  for (const known of net.stores.nodes.all()) {
    const member = byNode.get(known.node);
    const node = withLastSeen(known, member?.lastSeen, net.now());
    if (node !== known) net.stores.nodes.put(node);
    // What is on its way is not compared yet.
    if (net.stores.outbox.get("member", node.node) === undefined && node.state === "active")
      repairActive(net, node, member);
  }
}

/** The controller may have seen a node whose agent does not reach us. It may forget it too, so it only renews. */
function withLastSeen(node: StoredNode, lastSeen: number | undefined, now: number): StoredNode {
  const seenAt = Math.min(lastSeen ?? 0, now);
  return seenAt > node.seenAt ? { ...node, seenAt } : node;
}

function repairActive(net: NetworkContext, node: StoredNode, member: ControllerMember | undefined): void {
  if (member === undefined) {
    net.log("member-missing", { node: node.node });
    queueMember(net.stores, node.node, net.now());
    return;
  }
  if (!member.authorized) {
    net.log("revoked-at-controller", { node: node.node, name: node.name });
    net.stores.nodes.put({ ...node, state: "revoked" });
    queueCopy(net.stores, node.node, net.now());
    queueRoutes(net.stores, net.now());
    return;
  }
  const has = member.addresses.some((text) => {
    const address = parseAddress(text);
    return address !== undefined && slotOfAddress(net.config.pool, address) === node.slot;
  });
  if (has) return;
  net.log("member-drifted", { node: node.node, addresses: member.addresses.join(" ") });
  queueMember(net.stores, node.node, net.now());
}

/** Releases what was not seen for so long that its time is over. */
function age(net: NetworkContext): void {
  for (const node of net.stores.nodes.all()) {
    if (stateAt({ state: node.state, seenAt: node.seenAt }, net.now()) !== "released") continue;
    net.log("released-by-time", { node: node.node, name: node.name, slot: node.slot });
    endLease(net, node);
  }
}
