import { z } from "zod";
import type {
  ControllerMember,
  ControllerNetwork,
  MemberChange,
  MemberList,
  NetworkChange,
} from "../controller.ts";

/**
 * The wire form of the controller inside zerotier-one (1.14.1, `EmbeddedNetworkController.cpp` and `DB.cpp`): flat documents, in which
 * every key is always there. So one that is missing is no such document: read as an empty list or a false flag, it would wipe the
 * operator's routes, or revoke everybody.
 */

const networkDocument = z.object({
  id: z.string(),
  name: z.string(),
  private: z.boolean(),
  routes: z.array(z.object({ target: z.string(), via: z.string().nullable() })),
  ipAssignmentPools: z.array(z.object({ ipRangeStart: z.string(), ipRangeEnd: z.string() })),
  v4AssignMode: z.object({ zt: z.boolean() }),
  // Replaced as a whole by each write, so that it may lack what the last one left out.
  v6AssignMode: z.object({
    "6plane": z.boolean().default(false),
    rfc4193: z.boolean().default(false),
    zt: z.boolean().default(false),
  }),
});

/** A network's document, and which network it says it is of. */
export const networkAnswer = networkDocument.transform(
  ({ id, name, private: isPrivate, routes, ipAssignmentPools, v4AssignMode, v6AssignMode }) => ({
    id: id.toLowerCase(),
    network: {
      routes,
      pools: ipAssignmentPools,
      v4AutoAssign: v4AssignMode.zt,
      v6: { sixPlane: v6AssignMode["6plane"], rfc4193: v6AssignMode.rfc4193, zt: v6AssignMode.zt },
      private: isPrivate,
      name,
    } satisfies ControllerNetwork,
  }),
);

const memberId = z
  .string()
  .regex(/^[0-9a-f]{10}$/i)
  .toLowerCase();

/** A member's document. It keeps no time of a sight, and a name only once it was given one. */
export const memberAnswer = z
  .object({
    id: memberId,
    name: z.string().default(""),
    authorized: z.boolean(),
    ipAssignments: z.array(z.string()),
    noAutoAssignIps: z.boolean(),
    lastAuthorizedTime: z.number().optional(),
    lastDeauthorizedTime: z.number().optional(),
  })
  .transform(
    (document): ControllerMember => ({
      node: document.id,
      name: document.name,
      authorized: document.authorized,
      addresses: document.ipAssignments,
      autoAssign: !document.noAutoAssignIps,
      lastSeen: undefined,
      ...(document.lastAuthorizedTime !== undefined && { authorizedAt: document.lastAuthorizedTime }),
      ...(document.lastDeauthorizedTime !== undefined && { deauthorizedAt: document.lastDeauthorizedTime }),
    }),
  );

const namedMember = z.object({ id: memberId });

/** The list of members: an entry that cannot be read keeps no other from being read. */
export const membersAnswer = z
  .object({ data: z.array(z.unknown()), meta: z.object({ totalCount: z.number().int() }) })
  .transform(({ data, meta }, context): MemberList => {
    const members: ControllerMember[] = [];
    const unread: string[] = [];
    for (const [at, entry] of data.entries()) {
      const member = memberAnswer.safeParse(entry);
      if (member.success) members.push(member.data);
      else unread.push(namedMember.safeParse(entry).data?.id ?? `entry ${at + 1}`);
    }
    const isWhole = meta.totalCount === data.length && (data.length === 0 || members.length > 0);
    if (isWhole) return { members, unread };
    context.addIssue({
      code: "custom",
      message: `${meta.totalCount} members, and ${members.length} that can be read`,
    });
    return z.NEVER;
  });

/** The body that changes a network: keys are merged one by one, but lists and `v6AssignMode` are replaced whole. */
export function networkBody(change: NetworkChange): object {
  const { routes, pools, v4AutoAssign, v6 } = change;
  return {
    ...(routes && { routes: routes.map(({ target, via }) => ({ target, via })) }),
    ...(pools && {
      ipAssignmentPools: pools.map(({ ipRangeStart, ipRangeEnd }) => ({ ipRangeStart, ipRangeEnd })),
    }),
    ...(v4AutoAssign !== undefined && { v4AssignMode: { zt: v4AutoAssign } }),
    ...(v6 && { v6AssignMode: { "6plane": v6.sixPlane, rfc4193: v6.rfc4193, zt: v6.zt } }),
  };
}

/** The body that changes a member. */
export function memberBody({ name, authorized, addresses, autoAssign }: MemberChange): object {
  return {
    ...(name !== undefined && { name }),
    ...(authorized !== undefined && { authorized }),
    ...(addresses && { ipAssignments: [...addresses] }),
    ...(autoAssign !== undefined && { noAutoAssignIps: !autoAssign }),
  };
}
