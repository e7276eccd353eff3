import { z } from "zod";
import { type Member, type Network, setAuthorized } from "./state.ts";
import { storedAddresses, storedRanges, storedRoutes } from "./stored-lists.ts";

/**
 * A POST to a network or a member: key by key; null, unknown and read-only keys change nothing. Lists, and the
 * two assign-mode objects, replace theirs as a whole.
 */

/** A body whose types Central dislikes; it returns 500 with `{"type":"internal","message":"JSON error"}`. */
export class BadTypes extends Error {}

const flag = z.boolean().nullish();
const text = z.string().nullish();
const anyObject = z.record(z.string(), z.unknown());

const networkBody = z.object({
  description: text,
  rulesSource: text,
  permissions: z.record(z.string(), z.record(z.string(), z.boolean())).nullish(),
  tagsByName: anyObject.nullish(),
  capabilitiesByName: anyObject.nullish(),
  config: z
    .object({
      name: text,
      private: flag,
      mtu: z.number().int().nullish(),
      multicastLimit: z.number().int().nullish(),
      enableBroadcast: flag,
      routes: z.unknown().optional(),
      ipAssignmentPools: z.unknown().optional(),
      v4AssignMode: z.object({ zt: flag }).nullish(),
      v6AssignMode: z.object({ "6plane": flag, rfc4193: flag, zt: flag }).nullish(),
      dns: z.object({ domain: text, servers: z.array(z.string()).nullish() }).nullish(),
      rules: z.array(anyObject).nullish(),
      capabilities: z.array(anyObject).nullish(),
      tags: z.array(anyObject).nullish(),
    })
    .nullish(),
});

const memberBody = z.object({
  name: text,
  description: text,
  hidden: flag,
  config: z
    .object({
      authorized: flag,
      ipAssignments: z.array(z.string()).nullish(),
      noAutoAssignIps: flag,
      activeBridge: flag,
      ssoExempt: flag,
      tags: z.array(z.array(z.union([z.number(), z.boolean()]))).nullish(),
      capabilities: z.array(z.number().int()).nullish(),
    })
    .nullish(),
});

/** Changes the network as the body says. Its revision goes up only when something changed. */
export function mergeNetwork(network: Network, body: unknown, now: number): void {
  const { config, ...top } = read(networkBody, body);
  const { routes, ipAssignmentPools, v4AssignMode, v6AssignMode, dns, ...plain } = config ?? {};
  const before = JSON.stringify({ ...network, members: undefined });
  Object.assign(network, given(top));
  Object.assign(network.config, given(plain), {
    routes: storedRoutes(routes) ?? network.config.routes,
    ipAssignmentPools: storedRanges(ipAssignmentPools) ?? network.config.ipAssignmentPools,
  });
  if (v4AssignMode) network.config.v4AssignMode = { zt: v4AssignMode.zt ?? false };
  if (v6AssignMode) {
    network.config.v6AssignMode = {
      "6plane": v6AssignMode["6plane"] ?? false,
      rfc4193: v6AssignMode.rfc4193 ?? false,
      zt: v6AssignMode.zt ?? false,
    };
  }
  if (dns) network.config.dns = { domain: dns.domain ?? "", servers: dns.servers ?? [] };
  if (JSON.stringify({ ...network, members: undefined }) === before) return;
  network.revision += 1;
  network.lastModified = now;
}

/** Changes the member as the body says. Its revision goes up only when something changed. */
export function mergeMember(member: Member, body: unknown, now: number): void {
  const { config, ...top } = read(memberBody, body);
  const { authorized, ipAssignments, ...plain } = config ?? {};
  const before = JSON.stringify(member);
  Object.assign(member, given(top));
  Object.assign(member.config, given(plain));
  if (ipAssignments) member.config.ipAssignments = storedAddresses(ipAssignments);
  if (typeof authorized === "boolean") setAuthorized(member, authorized, now);
  if (JSON.stringify(member) !== before) member.revision += 1;
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (!result.success) throw new BadTypes(z.prettifyError(result.error));
  return result.data;
}

/** The keys that hold a value. */
function given(body: object): object {
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== null && value !== undefined),
  );
}
