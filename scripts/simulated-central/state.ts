import { randomInt, randomUUID } from "node:crypto";
import { z } from "zod";

/**
 * What the simulated Central holds. The shapes are those of the API v1's documents, less what is computed for each
 * answer; they are schemas because the state file is read back through them.
 */

const routeSchema = z.object({ target: z.string(), via: z.string().nullable() });
const rangeSchema = z.object({ ipRangeStart: z.string(), ipRangeEnd: z.string() });
const looseObject = z.record(z.string(), z.unknown());

const networkConfigSchema = z.object({
  name: z.string(),
  private: z.boolean(),
  mtu: z.number(),
  multicastLimit: z.number(),
  enableBroadcast: z.boolean(),
  routes: z.array(routeSchema),
  ipAssignmentPools: z.array(rangeSchema),
  v4AssignMode: z.object({ zt: z.boolean() }),
  v6AssignMode: z.object({ "6plane": z.boolean(), rfc4193: z.boolean(), zt: z.boolean() }),
  dns: z.object({ domain: z.string(), servers: z.array(z.string()) }),
  rules: z.array(looseObject),
  capabilities: z.array(looseObject),
  tags: z.array(looseObject),
});

const memberConfigSchema = z.object({
  authorized: z.boolean(),
  ipAssignments: z.array(z.string()),
  noAutoAssignIps: z.boolean(),
  activeBridge: z.boolean(),
  ssoExempt: z.boolean(),
  tags: z.array(z.array(z.union([z.number(), z.boolean()]))),
  capabilities: z.array(z.number()),
});

/** A member. `identity` is absent until a node with that address asked for its configuration. */
export const memberSchema = z.object({
  node: z.string(),
  name: z.string(),
  description: z.string(),
  hidden: z.boolean(),
  config: memberConfigSchema,
  identity: z.string().optional(),
  creationTime: z.number(),
  lastAuthorizedTime: z.number(),
  lastDeauthorizedTime: z.number(),
  lastSeen: z.number(),
  physicalAddress: z.string().nullable(),
  revision: z.number(),
});

/** A network without its members. */
export const networkSchema = z.object({
  id: z.string(),
  ownerId: z.string(),
  description: z.string(),
  rulesSource: z.string(),
  permissions: z.record(z.string(), z.record(z.string(), z.boolean())),
  tagsByName: looseObject,
  capabilitiesByName: looseObject,
  config: networkConfigSchema,
  creationTime: z.number(),
  lastModified: z.number(),
  revision: z.number(),
  /** The ids of members that were deauthorized, and then deleted. */
  revoked: z.array(z.string()).default([]),
});

export type Route = z.infer<typeof routeSchema>;
export type AssignmentRange = z.infer<typeof rangeSchema>;
export type NetworkConfig = z.infer<typeof networkConfigSchema>;
export type Member = z.infer<typeof memberSchema>;
export type Network = z.infer<typeof networkSchema> & { readonly members: Map<string, Member> };

/** Networks by id; their members by id in the case that was sent, as a real controller keeps them. */
export interface CentralState {
  readonly networks: Map<string, Network>;
}

/** Makes a network as Central's API does: private, with no route, no pool and no automatic address. */
export function createNetwork(state: CentralState, id: string, ownerId: string, now: number): Network {
  const network: Network = {
    id,
    ownerId,
    description: "",
    rulesSource: "accept;",
    permissions: { [ownerId]: { a: true, d: true, m: true, r: true } },
    tagsByName: {},
    capabilitiesByName: {},
    config: {
      name: "",
      private: true,
      mtu: 2800,
      multicastLimit: 32,
      enableBroadcast: true,
      routes: [],
      ipAssignmentPools: [],
      v4AssignMode: { zt: false },
      v6AssignMode: { "6plane": false, rfc4193: false, zt: false },
      dns: { domain: "", servers: [] },
      rules: [{ type: "ACTION_ACCEPT" }],
      capabilities: [],
      tags: [],
    },
    creationTime: now,
    lastModified: now,
    revision: 1,
    revoked: [],
    members: new Map(),
  };
  state.networks.set(id, network);
  return network;
}

/** An unused network id of the simulated controller. */
export function newNetworkId(state: CentralState): string {
  const id = `8056c2e21c${randomInt(0x1000000).toString(16).padStart(6, "0")}`;
  return state.networks.has(id) ? newNetworkId(state) : id;
}

/** An account's id. */
export function newUserId(): string {
  return randomUUID();
}

/** The member of that id, made unauthorized when it is absent: by the API before it was seen, or by a node that asks. */
export function memberOf(network: Network, node: string, now: number): Member {
  const known = network.members.get(node);
  if (known !== undefined) return known;
  const member: Member = {
    node,
    name: "",
    description: "",
    hidden: false,
    config: {
      authorized: false,
      ipAssignments: [],
      noAutoAssignIps: false,
      activeBridge: false,
      ssoExempt: false,
      tags: [],
      capabilities: [],
    },
    creationTime: now,
    lastAuthorizedTime: 0,
    lastDeauthorizedTime: 0,
    lastSeen: 0,
    physicalAddress: null,
    revision: 1,
  };
  network.members.set(node, member);
  return member;
}

/** Authorizes or deauthorizes, with the time of the change; no change keeps the time. */
export function setAuthorized(member: Member, authorized: boolean, now: number): void {
  if (member.config.authorized === authorized) return;
  member.config.authorized = authorized;
  if (authorized) member.lastAuthorizedTime = now;
  else member.lastDeauthorizedTime = now;
}

/** Takes the member away. One that was deauthorized before stays out for the others too: a certificate that it has yet was revoked. */
export function removeMember(network: Network, { node, config, lastDeauthorizedTime }: Member): void {
  network.members.delete(node);
  if (!config.authorized && lastDeauthorizedTime > 0)
    network.revoked = [...new Set([...network.revoked, node])];
}
