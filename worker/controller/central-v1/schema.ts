import { z } from "zod";
import type {
  ControllerMember,
  ControllerNetwork,
  MemberChange,
  MemberList,
  NetworkChange,
} from "../controller.ts";

/**
 * The wire form of ZeroTier Central's API v1 (its OpenAPI document, August 2025), read and written.
 * Every field there is nullable; unknown keys are kept out. What is written back as a whole, or decides over members, must
 * be there: read from a key that is missing, an empty list would wipe the operator's, and a false flag revoke everybody.
 */

/** `null` and absent become undefined. */
function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A list in which null means empty (Go writes an empty slice so); its key must be there. */
function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullable()
    .transform((items) => items ?? []);
}

/** `""`, as terraform writes an on-link route, and null both mean: no gateway. */
const route = z
  .object({ target: z.string(), via: z.string().nullish() })
  .transform(({ target, via }) => ({ target, via: via ? via : null }));

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

interface NetworkAnswer {
  readonly id: string | undefined;
  readonly memberCount: number;
  readonly nulls: string;
  readonly network: ControllerNetwork;
}

/**
 * Central's Network, as Meshboot's. `nulls`: the names of what is null though it is written back as a whole, which is what an
 * empty list may look like, and what the answer of a Central that has lost hold of it may look like too. `memberCount`: 0 also
 * when it does not say.
 */
export const networkAnswer = z
  .object({
    id: optional(z.string()),
    totalMemberCount: optional(z.number()),
    config: z.object({
      name: optional(z.string()),
      private: z.boolean(),
      routes: z.array(route).nullable(),
      ipAssignmentPools: z.array(z.object({ ipRangeStart: z.string(), ipRangeEnd: z.string() })).nullable(),
      v4AssignMode: optional(z.object({ zt: flag })),
      v6AssignMode: z.object({ "6plane": flag, rfc4193: flag, zt: flag }).nullable(),
    }),
  })
  .transform(
    ({ id, totalMemberCount, config }): NetworkAnswer => ({
      id,
      memberCount: totalMemberCount ?? 0,
      nulls: (["routes", "ipAssignmentPools", "v6AssignMode"] as const)
        .filter((name) => config[name] === null)
        .join(", "),
      network: {
        routes: config.routes ?? [],
        pools: config.ipAssignmentPools ?? [],
        v4AutoAssign: config.v4AssignMode?.zt ?? false,
        v6: {
          sixPlane: config.v6AssignMode?.["6plane"] ?? false,
          rfc4193: config.v6AssignMode?.rfc4193 ?? false,
          zt: config.v6AssignMode?.zt ?? false,
        },
        private: config.private,
        name: config.name ?? "",
      },
    }),
  );

/** Central's Member, as Meshboot's. The time of a sight is 0 when there is none, or when Central forgot it. */
export const memberAnswer = z
  .object({
    /** `<network>-<node>`, deprecated. */
    id: optional(z.string()),
    nodeId: optional(z.string()),
    name: optional(z.string()),
    lastSeen: optional(z.number()),
    config: z.object({
      id: optional(z.string()),
      authorized: z.boolean(),
      ipAssignments: list(z.string()).optional(),
      noAutoAssignIps: flag,
      lastAuthorizedTime: optional(z.number()),
      lastDeauthorizedTime: optional(z.number()),
    }),
  })
  .transform(({ id, nodeId, name, lastSeen, config }, context): ControllerMember => {
    const node = (nodeId ?? config.id ?? id?.split("-")[1] ?? "").toLowerCase();
    if (!/^[0-9a-f]{10}$/.test(node)) {
      context.addIssue({ code: "custom", message: "Invalid node id", path: ["nodeId"] });
      return z.NEVER;
    }
    const { lastAuthorizedTime: authorizedAt, lastDeauthorizedTime: deauthorizedAt } = config;
    return {
      node,
      name: name ?? "",
      authorized: config.authorized,
      addresses: config.ipAssignments ?? [],
      autoAssign: !config.noAutoAssignIps,
      lastSeen: lastSeen !== undefined && lastSeen > 0 ? lastSeen : undefined,
      ...(authorizedAt !== undefined && { authorizedAt }),
      ...(deauthorizedAt !== undefined && { deauthorizedAt }),
    };
  });

/** What may be read of a member whose entry as a whole cannot be. */
const nameOfMember = z.object({ nodeId: z.string().regex(/^[0-9a-f]{10}$/i) });

/** Central's list of members; null when there is none. It is no such list when none of its entries even names its node. */
export const membersAnswer = list(z.unknown()).transform((entries, context): MemberList => {
  const members: ControllerMember[] = [];
  const unread: string[] = [];
  let isList = entries.length === 0;
  for (const [at, entry] of entries.entries()) {
    const member = memberAnswer.safeParse(entry);
    const named = nameOfMember.safeParse(entry);
    if (member.success) members.push(member.data);
    else unread.push(named.success ? named.data.nodeId.toLowerCase() : `entry ${at + 1}`);
    isList ||= member.success || named.success;
  }
  if (isList) return { members, unread };
  context.addIssue({ code: "custom", message: "no entry is a member" });
  return z.NEVER;
});

/** The body that changes a network: keys are merged one by one, but arrays and `v6AssignMode` are replaced whole. */
export function networkBody(change: NetworkChange): object {
  const { routes, pools, v4AutoAssign, v6 } = change;
  return {
    config: {
      ...(routes && { routes: routes.map(({ target, via }) => ({ target, via })) }),
      ...(pools && {
        ipAssignmentPools: pools.map(({ ipRangeStart, ipRangeEnd }) => ({ ipRangeStart, ipRangeEnd })),
      }),
      ...(v4AutoAssign !== undefined && { v4AssignMode: { zt: v4AutoAssign } }),
      ...(v6 && { v6AssignMode: { "6plane": v6.sixPlane, rfc4193: v6.rfc4193, zt: v6.zt } }),
    },
  };
}

/** The body that changes a member. */
export function memberBody(change: MemberChange): object {
  const { name, authorized, addresses, autoAssign } = change;
  return {
    ...(name !== undefined && { name }),
    config: {
      ...(authorized !== undefined && { authorized }),
      ...(addresses && { ipAssignments: [...addresses] }),
      ...(autoAssign !== undefined && { noAutoAssignIps: !autoAssign }),
    },
  };
}
