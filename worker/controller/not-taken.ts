import { formatAddress, parseAddress } from "../address/prefix.ts";
import type { ControllerMember, MemberChange } from "./controller.ts";

/** What of the change is not in the member that came back, for a message; undefined when all is there. */
export function notTaken(node: string, change: MemberChange, member: ControllerMember): string | undefined {
  if (member.node !== node) return `member ${member.node} came back`;
  if (change.authorized !== undefined && member.authorized !== change.authorized) {
    return `the member is ${member.authorized ? "still authorized" : "not authorized"}`;
  }
  if (change.autoAssign !== undefined && member.autoAssign !== change.autoAssign) {
    return `the member ${member.autoAssign ? "gets" : "is kept from"} addresses of the controller's choice (noAutoAssignIps), its 6PLANE address among them`;
  }
  if (change.addresses === undefined) return undefined;
  const has = new Set(member.addresses.map(canonical));
  const wanted = new Set(change.addresses.map(canonical));
  if (has.size === wanted.size && [...wanted].every((address) => has.has(address))) return undefined;
  return `its addresses are ${[...has].join(", ") || "none"} instead of ${[...wanted].join(", ") || "none"}`;
}

function canonical(address: string): string {
  const parsed = parseAddress(address);
  return parsed === undefined ? address : formatAddress(parsed);
}
