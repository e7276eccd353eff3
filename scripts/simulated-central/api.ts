import { memberDocument, networkDocument } from "./documents.ts";
import { BadTypes, mergeMember, mergeNetwork } from "./merge.ts";
import {
  type CentralState,
  createNetwork,
  memberOf,
  type Network,
  newNetworkId,
  removeMember,
} from "./state.ts";

/** A call of the API v1 after the HTTP part: path below the base, the caller, the body as parsed. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
  /** Undefined when the token is missing or unknown. */
  readonly user: string | undefined;
  /** Undefined when there is none, or when it is no JSON. */
  readonly body: unknown;
}

/** An answer; no body for a DELETE. */
export interface ApiAnswer {
  readonly status: number;
  readonly body?: unknown;
}

/** Error bodies have the one form that was seen of Central. */
function refuse(status: number, type: string, message: string): ApiAnswer {
  return { status, body: { type, message } };
}

const NOT_FOUND = refuse(404, "not_found", "Item not found");
const DENIED = refuse(403, "access_denied", "Access denied");
const UNAUTHORIZED = refuse(401, "unauthorized", "Authorization required");
const WRONG_METHOD = refuse(405, "method_not_allowed", "Method not allowed");
const BAD_JSON = refuse(500, "internal", "JSON error");

/** Answers a call and makes its change to the state. */
export function answerApi(state: CentralState, call: ApiCall, now: number): ApiAnswer {
  try {
    return route(state, call, now);
  } catch (error) {
    if (error instanceof BadTypes) return BAD_JSON;
    throw error;
  }
}

function route(state: CentralState, call: ApiCall, now: number): ApiAnswer {
  const [kind, id, members, node, ...rest] = call.path.split("/").filter((part) => part !== "");
  if (rest.length > 0) return NOT_FOUND;
  if (kind === "status" && id === undefined) return status(call, now);
  if (kind !== "network") return call.user === undefined ? UNAUTHORIZED : NOT_FOUND;
  if (id === undefined) return networks(state, call, now);
  if (call.user === undefined) return UNAUTHORIZED;
  const network = state.networks.get(id);
  if (network === undefined) return NOT_FOUND;
  if (network.ownerId !== call.user) return DENIED;
  if (members === undefined) return oneNetwork(state, network, call, now);
  if (members !== "member") return NOT_FOUND;
  if (node === undefined) {
    if (call.method !== "GET") return WRONG_METHOD;
    return { status: 200, body: [...network.members.values()].map((m) => memberDocument(network, m, now)) };
  }
  return oneMember(network, node, call, now);
}

/** Without a valid token it returns 200 all the same, with no user: no proof that the token is good. */
function status({ method, user }: ApiCall, now: number): ApiAnswer {
  if (method !== "GET") return WRONG_METHOD;
  return {
    status: 200,
    body: {
      id: "central_status",
      type: "CentralStatus",
      clock: now,
      version: "simulated",
      apiVersion: "4",
      uptime: 0,
      user:
        user === undefined
          ? null
          : { id: user, displayName: "Simulated Operator", email: "operator@example.com" },
      readOnlyMode: false,
    },
  };
}

/** Here, and only here, the document has 403 for a missing token. */
function networks(state: CentralState, { method, user, body }: ApiCall, now: number): ApiAnswer {
  if (user === undefined) return DENIED;
  if (method === "GET") {
    const own = [...state.networks.values()].filter(({ ownerId }) => ownerId === user);
    return { status: 200, body: own.map((network) => networkDocument(network, now)) };
  }
  if (method !== "POST") return WRONG_METHOD;
  const id = newNetworkId(state);
  const network = createNetwork(state, id, user, now);
  try {
    mergeNetwork(network, body, now);
  } catch (error) {
    state.networks.delete(id);
    throw error;
  }
  return { status: 200, body: networkDocument(network, now) };
}

function oneNetwork(state: CentralState, network: Network, call: ApiCall, now: number): ApiAnswer {
  switch (call.method) {
    case "GET":
      return { status: 200, body: networkDocument(network, now) };
    case "POST":
      mergeNetwork(network, call.body, now);
      return { status: 200, body: networkDocument(network, now) };
    case "DELETE":
      state.networks.delete(network.id);
      return { status: 200 };
    default:
      return WRONG_METHOD;
  }
}

/** A member id is kept in the case that was sent: `AABBCCDDEE` and `aabbccddee` are two members. */
function oneMember(network: Network, node: string, call: ApiCall, now: number): ApiAnswer {
  if (!/^[0-9a-fA-F]{10}$/.test(node)) return NOT_FOUND;
  const known = network.members.get(node);
  switch (call.method) {
    case "GET":
      return known === undefined ? NOT_FOUND : { status: 200, body: memberDocument(network, known, now) };
    case "POST": {
      const member = memberOf(network, node, now);
      try {
        mergeMember(member, call.body, now);
      } catch (error) {
        if (known === undefined) network.members.delete(node);
        throw error;
      }
      return { status: 200, body: memberDocument(network, member, now) };
    }
    case "DELETE":
      if (known === undefined) return NOT_FOUND;
      removeMember(network, known);
      return { status: 200 };
    default:
      return WRONG_METHOD;
  }
}
