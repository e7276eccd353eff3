import { randomInt } from "node:crypto";
import type { ApiAnswer, ApiCall } from "../api.ts";
import { type CentralState, createNetwork, memberOf, type Network, removeMember } from "../state.ts";
import { memberDocument, networkDocument } from "./documents.ts";
import { mergeFlatMember, mergeFlatNetwork, NoText } from "./merge.ts";

/** The controller's own address: the networks that it can serve begin with it. */
export const CONTROLLER_ADDRESS = "8056c2e21c";

/** Most of its refusals have no body. */
const NOT_FOUND: ApiAnswer = { status: 404 };

/**
 * Answers a call of the controller's API inside zerotier-one 1.14.1, and makes its change to the state. A path that it does not have, a
 * method that a path does not take, and what is not there are all 404 with nothing in it; PUT is POST.
 */
export function answerZerotierOne(state: CentralState, call: ApiCall, now: number): ApiAnswer {
  if (call.user === undefined) return { status: 401, body: {} };
  try {
    return route(state, { ...call, method: call.method === "PUT" ? "POST" : call.method }, call.user, now);
  } catch (error) {
    if (error instanceof NoText) return { status: 500, body: { description: error.message, error: 500 } };
    throw error;
  }
}

function route(state: CentralState, call: ApiCall, user: string, now: number): ApiAnswer {
  const { method, path } = call;
  const list = /^\/unstable\/controller\/network\/([0-9a-f]{16})\/member$/i.exec(path)?.[1];
  if (list !== undefined) return method === "GET" ? memberList(state, list) : NOT_FOUND;
  const [, rest] = /^\/controller(\/.*)?$/.exec(path) ?? [];
  if (path === "/controller")
    return method === "GET"
      ? { status: 200, body: { apiVersion: 4, clock: now, controller: true, databaseReady: true } }
      : NOT_FOUND;
  const [kind, id, members, node, ...more] = (rest ?? "").split("/").filter((part) => part !== "");
  if (kind !== "network" || more.length > 0) return NOT_FOUND;
  if (id === undefined) return networks(state, call, user, now);
  const creating = /^([0-9a-f]{10})_{6}$/i.exec(id)?.[1];
  if (creating !== undefined && members === undefined)
    return creating === CONTROLLER_ADDRESS ? create(state, call, user, now) : { status: 400 };
  if (!/^[0-9a-f]{16}$/i.test(id)) return NOT_FOUND;
  if (members === undefined) return oneNetwork(state, id.toLowerCase(), call, user, now);
  const network = state.networks.get(id.toLowerCase());
  if (network === undefined || members !== "member") return NOT_FOUND;
  if (node !== undefined) return oneMember(network, node, call, now);
  const revisions = [...network.members.values()].map((member) => [member.node, member.revision]);
  return method === "GET" ? { status: 200, body: Object.fromEntries(revisions) } : NOT_FOUND;
}

function networks(state: CentralState, call: ApiCall, user: string, now: number): ApiAnswer {
  if (call.method === "GET") return { status: 200, body: [...state.networks.keys()].sort() };
  return create(state, call, user, now);
}

function create(state: CentralState, { method, body }: ApiCall, user: string, now: number): ApiAnswer {
  if (method !== "POST") return NOT_FOUND;
  const id = `${CONTROLLER_ADDRESS}${randomInt(1, 0x1000000).toString(16).padStart(6, "0")}`;
  const network = createNetwork(state, id, user, now);
  mergeFlatNetwork(network, body, now);
  return { status: 200, body: networkDocument(network) };
}

/** A POST makes a network that is not there, also one of an id that it can never serve. */
function oneNetwork(state: CentralState, id: string, call: ApiCall, user: string, now: number): ApiAnswer {
  const known = state.networks.get(id);
  if (call.method === "POST") {
    const network = known ?? createNetwork(state, id, user, now);
    mergeFlatNetwork(network, call.body, now);
    return { status: 200, body: networkDocument(network) };
  }
  if (known === undefined) return NOT_FOUND;
  if (call.method === "DELETE") state.networks.delete(id);
  else if (call.method !== "GET") return NOT_FOUND;
  return { status: 200, body: networkDocument(known) };
}

/** A member's id is kept in the case that was sent. */
function oneMember(network: Network, node: string, call: ApiCall, now: number): ApiAnswer {
  if (!/^[0-9a-f]{10}$/i.test(node)) return NOT_FOUND;
  const known = network.members.get(node);
  if (call.method === "POST") {
    const member = memberOf(network, node, now);
    try {
      mergeFlatMember(member, call.body, now);
    } catch (error) {
      if (known === undefined) network.members.delete(node);
      throw error;
    }
    return { status: 200, body: memberDocument(network, member) };
  }
  if (known === undefined) return NOT_FOUND;
  if (call.method === "DELETE") removeMember(network, known);
  else if (call.method !== "GET") return NOT_FOUND;
  return { status: 200, body: memberDocument(network, known) };
}

function memberList(state: CentralState, id: string): ApiAnswer {
  const network = state.networks.get(id.toLowerCase());
  if (network === undefined) return NOT_FOUND;
  const members = [...network.members.values()];
  const meta = {
    authorizedCount: members.filter(({ config }) => config.authorized).length,
    totalCount: members.length,
  };
  return { status: 200, body: { data: members.map((member) => memberDocument(network, member)), meta } };
}
