// What adopting does and leaves, as the operator is shown it. Every text on a member that is left is here.
import { formatPrefix, parsePrefix } from "../address/prefix.ts";
import type { Config } from "../config/config.ts";
import type { Route } from "../lease/managed-routes.ts";
import {
  autoAssignRange,
  dockerSubnet,
  type Pool,
  slotLimit,
  slotsOfPrefix,
  zerotierAddress,
  zerotierAddressWithPrefix,
} from "../lease/pool.ts";
import { showRoute } from "../outbox/foreign-routes.ts";
import type { Adoption, AdoptionFault, AdoptionPlan, LeftMember } from "../reconcile/adoption-plan.ts";
import type { AdoptionView } from "../schema/adoption.ts";

/** The plan as it is shown. */
export function adoptionView(
  { pool }: Pick<Config, "pool">,
  { adopted, more, left, leftInAll, settings, routes }: AdoptionPlan,
): Omit<AdoptionView, "dryRun" | "plan"> {
  const { pools, v4AutoAssign, v6 } = settings;
  return {
    adopted: adopted.map((adoption) => adoptedView(pool, adoption)),
    more,
    changes: {
      settings: {
        ...(pools && { pools: [...pools] }),
        ...(v4AutoAssign !== undefined && { v4AutoAssign }),
        ...(v6 && { v6 }),
      },
      members: adopted.flatMap(({ lease: { node }, change }) =>
        change === undefined ? [] : [{ node, ...changeView(change) }],
      ),
      routes: { missing: [...routes.missing], leftOver: [...routes.leftOver] },
    },
    left: left.map((member) => leftView(pool, member)),
    leftInAll,
  };
}

function adoptedView(
  pool: Pool,
  { lease: { node, name, slot }, isRouted }: Adoption,
): AdoptionView["adopted"][number] {
  return {
    node,
    name,
    slot,
    zerotier: { ipv4: zerotierAddressWithPrefix(pool, slot) },
    docker: { ipv4: { subnet: formatPrefix(dockerSubnet(pool, slot)) } },
    routed: isRouted,
  };
}

function changeView({
  name,
  autoAssign,
}: NonNullable<Adoption["change"]>): Omit<AdoptionView["changes"]["members"][number], "node"> {
  return { ...(name !== undefined && { name }), ...(autoAssign !== undefined && { autoAssign }) };
}

function leftView(pool: Pool, { node, name, fault }: LeftMember): AdoptionView["left"][number] {
  return { node, name, reason: fault.reason, detail: textOf(pool, node, fault) };
}

function textOf(pool: Pool, node: string, fault: AdoptionFault): string {
  const addresses = `${zerotierAddress(pool, 1)} to ${zerotierAddress(pool, slotLimit(pool))}`;
  switch (fault.reason) {
    case "not-authorized":
      return "it is not authorized in the controller; if it is a server of yours, authorize it there";
    case "no-address":
      return `it has no IPv4 address; give it one of ${addresses} in the controller`;
    case "address-outside":
      return `its ${listOf(fault.addresses)} lies outside the ZeroTier range ${formatPrefix(pool.zerotier)} (ZEROTIER_RANGE); give it one of ${addresses} besides`;
    case "address-automatic": {
      const { ipRangeStart, ipRangeEnd } = autoAssignRange(pool);
      return `its address ${fault.address} is one of ${ipRangeStart} to ${ipRangeEnd}, which are for laptops and other members; if it is a server, give it one of ${addresses}`;
    }
    case "address-of-no-slot":
      return `no slot goes with its address ${fault.address}; those of slots are ${addresses}`;
    case "two-addresses":
      return `it has the addresses of several slots, ${fault.addresses.join(" and ")}; take away all but the one that its route leads to`;
    case "address-shared":
      return `member ${fault.member} has its address ${fault.address} too; take it away from one of the two`;
    case "other-route":
      return otherRouteText(pool, fault);
    case "slot-routed":
      return `the route ${showRoute(fault.route)} is in the way: to its address belongs ${subnetOf(pool, fault.slot)}, with one route via that address; delete the other`;
    case "slot-leased":
      return `slot ${fault.slot} is leased to node ${fault.node}`;
    case "slot-reserved":
      return `slot ${fault.slot} is reserved for ${fault.name}; call the member so in the controller, or give up the reservation (DELETE /v1/reservations/${fault.name})`;
    case "slot-resting":
      return fault.until === null
        ? `slot ${fault.slot} is still node ${fault.node}'s, which the controller has not taken out yet`
        : `slot ${fault.slot} was node ${fault.node}'s, and rests until ${new Date(fault.until).toISOString()}`;
    case "on-its-way":
      return "the controller is to be told something about it, or has not answered a call about it; ask again in ten minutes";
    case "unread":
      return "its entry in the controller cannot be read; the Worker's log says members-unread";
    case "no-member":
      return "the network has no such member";
    case "has-lease":
      return `it has a lease (GET /v1/nodes/${node})`;
  }
}

/** The route leads to another slot's subnet: a lease has one number for both. */
function otherRouteText(
  pool: Pool,
  { address, slot, route }: Extract<AdoptionFault, { reason: "other-route" }>,
): string {
  const said = `the route ${showRoute(route)} leads to it, and with its address ${address} goes ${subnetOf(pool, slot)}: a lease has one number for both`;
  const other = slotOfTarget(pool, route);
  const ways = [
    ...(other === undefined
      ? []
      : [`give the member ${zerotierAddress(pool, other)} and the route that gateway`]),
    `give its containers ${subnetOf(pool, slot)}, and change the route's target to that`,
  ];
  return `${said}. In the controller and on the server, ${ways.join("; or ")}`;
}

/** The one slot whose subnet is the route's target. */
function slotOfTarget(pool: Pool, { target }: Route): number | undefined {
  const prefix = parsePrefix(target);
  const [slot] = prefix?.length === pool.nodePrefix ? slotsOfPrefix(pool, prefix) : [];
  return slot;
}

function subnetOf(pool: Pool, slot: number): string {
  return formatPrefix(dockerSubnet(pool, slot));
}

function listOf(addresses: readonly string[]): string {
  return `address ${addresses.join(", ")}`;
}
