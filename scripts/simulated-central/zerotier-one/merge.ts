import { mergeMember, mergeNetwork } from "../merge.ts";
import type { Member, Network } from "../state.ts";

/**
 * A POST to a network or a member, by the rules of `EmbeddedNetworkController.cpp` in zerotier-one 1.14.1: key by key; a value of
 * another type becomes the default, or changes nothing where a list was expected; keys that are not known are passed over.
 */

/** An address that is no text: the one thing that is answered with 500. */
export class NoText extends Error {}

type Body = Readonly<Record<string, unknown>>;

export function mergeFlatNetwork(network: Network, sent: unknown, now: number): void {
  const body = bodyOf(sent);
  const has = (key: string): boolean => Object.hasOwn(body, key);
  mergeNetwork(
    network,
    {
      config: {
        ...(has("name") && { name: textOf(body["name"]) }),
        ...(has("private") && { private: flagOf(body["private"], true) }),
        ...(has("enableBroadcast") && { enableBroadcast: flagOf(body["enableBroadcast"], false) }),
        ...(has("mtu") && { mtu: Math.min(10_000, Math.max(1280, numberOf(body["mtu"], 2800))) }),
        ...(has("multicastLimit") && { multicastLimit: numberOf(body["multicastLimit"], 32) }),
        ...(has("v4AssignMode") && { v4AssignMode: modesOf(body["v4AssignMode"], ["zt"]) }),
        ...(has("v6AssignMode") && {
          v6AssignMode: modesOf(body["v6AssignMode"], ["6plane", "rfc4193", "zt"]),
        }),
        ...(has("routes") && { routes: body["routes"] }),
        ...(has("ipAssignmentPools") && { ipAssignmentPools: body["ipAssignmentPools"] }),
        ...(Array.isArray(body["rules"]) && { rules: body["rules"].filter(isObject) }),
      },
    },
    now,
  );
}

export function mergeFlatMember(member: Member, sent: unknown, now: number): void {
  const body = bodyOf(sent);
  const has = (key: string): boolean => Object.hasOwn(body, key);
  mergeMember(
    member,
    {
      ...(has("name") && { name: textOf(body["name"]) }),
      config: {
        ...(has("authorized") && { authorized: flagOf(body["authorized"], false) }),
        ...(has("noAutoAssignIps") && { noAutoAssignIps: flagOf(body["noAutoAssignIps"], false) }),
        ...(has("activeBridge") && { activeBridge: flagOf(body["activeBridge"], false) }),
        ...(Array.isArray(body["ipAssignments"]) && {
          ipAssignments: body["ipAssignments"].map(addressText),
        }),
      },
    },
    now,
  );
}

/** What is no object is taken for an empty one. */
function bodyOf(sent: unknown): Body {
  return isObject(sent) ? sent : {};
}

function isObject(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function addressText(value: unknown): string {
  if (typeof value === "string") return value;
  throw new NoText("type must be string, but is another");
}

/** The modes as an object that replaces what was there, or as the names of those that are on. */
function modesOf(value: unknown, names: readonly string[]): Record<string, boolean> {
  const named = typeof value === "string" ? value.split(",") : undefined;
  const given = isObject(value) ? value : {};
  return Object.fromEntries(
    names.map((name) => [name, named === undefined ? flagOf(given[name], false) : named.includes(name)]),
  );
}

function flagOf(value: unknown, otherwise: boolean): boolean {
  return typeof value === "boolean" ? value : otherwise;
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" ? Math.trunc(value) : otherwise;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
