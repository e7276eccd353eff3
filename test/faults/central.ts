import { answerApi } from "../../scripts/simulated-central/api.ts";
import { configureNode } from "../../scripts/simulated-central/node-config.ts";
import {
  type CentralState,
  createNetwork,
  type Member,
  memberOf,
  type Network,
  type Route,
  setAuthorized,
} from "../../scripts/simulated-central/state.ts";
import type { Clock } from "./clock.ts";

export const NETWORK = "8056c2e21c000001";
export const CENTRAL_URL = "https://central.example.com/api/v1";

/** What a call to the controller is for. */
export const CALL_KINDS = [
  "readNetwork",
  "writeNetwork",
  "listMembers",
  "readMember",
  "writeMember",
  "deleteMember",
] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/**
 * What becomes of a call instead of what should:
 * - `status`: answered with the status, not done
 * - `page`, `null`, `empty`, `object`: answered 200 with a web page, `null`, `[]` or `{}`, not done
 * - `silence`: neither done nor answered
 * - `lost`: done, and the connection breaks
 * - `late`: done after `ms`, when nobody waits any more
 * - `slow`: done, answered after `ms`
 * - `queued`: done after `ms`, and answered then
 * - `pretend`: answered as if it were done
 */
export const FAULTS = [
  "status",
  "page",
  "null",
  "empty",
  "object",
  "silence",
  "lost",
  "late",
  "slow",
  "queued",
  "pretend",
] as const;

/** A fault for the next call of its kind. */
export interface Fault {
  readonly on: CallKind | "any";
  /** `hollow`: done, and what is answered of the network has null for its lists. Shown twice, that would be true for all anybody knows: so not by chance. */
  readonly what: (typeof FAULTS)[number] | "hollow";
  /** How late what comes late is. */
  readonly ms?: number;
  readonly status?: number;
}

/** A call to the controller from the moment that it leaves the object. */
export interface Call {
  readonly kind: CallKind;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** The member that it is about. */
  readonly node: string | undefined;
  readonly leftAt: number;
  /** What the object had read by then. */
  readonly known: Known;
}

/** When the controller's state was last taken that the object knows: as a whole, and of single members. ms since 1970. */
export interface Known {
  readonly network: number;
  readonly members: number;
  readonly member: ReadonlyMap<string, number>;
}

/** What the controller answers. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Record<string, string>;
}

/** A write of the object's that takes effect now. */
export interface Landing {
  readonly call: Call;
  readonly routes: { readonly before: readonly Route[]; readonly after: readonly Route[] };
  readonly member: { readonly before: Member | undefined; readonly after: Member | undefined };
}

/** Who watches the object's writes. */
export interface Onlooker {
  /** A write leaves the object. */
  left(call: Call): void;
  /** It takes effect. */
  landed(landing: Landing): void;
  /** It is answered as if it had taken effect. */
  pretended(call: Call): void;
  /** The object has its answer. */
  heard(call: Call): void;
}

/** ZeroTier Central for the object, and what an operator and the servers' zerotier-one do there meanwhile. */
export class Central {
  readonly #clock: Clock;
  readonly #state: CentralState = { networks: new Map() };
  readonly network: Network;
  readonly #onlooker: Onlooker;
  #faults: Fault[] = [];
  /** Calls that left the object. */
  calls = 0;
  /** Whether it ever answered that a member is changed which was not. */
  hasLied = false;
  /** When a call last met a fault. */
  faultAt = 0;
  #known: Known = { network: 0, members: 0, member: new Map() };

  constructor(clock: Clock, onlooker: Onlooker) {
    this.#clock = clock;
    this.#onlooker = onlooker;
    this.network = createNetwork(this.#state, NETWORK, "operator", clock.now);
  }

  order(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** From here on everything is answered as it should be. */
  recover(): void {
    this.#faults = [];
  }

  /** A call leaves the object; and the fault that it meets. */
  leave(method: string, url: string, body: string | undefined): { call: Call; fault: Fault | undefined } {
    const call = this.#call(method, url, body);
    this.calls += 1;
    const index = this.#faults.findIndex(({ on }) => on === "any" || on === call.kind);
    const [fault] = index < 0 ? [] : this.#faults.splice(index, 1);
    if (fault !== undefined) this.faultAt = this.#clock.now;
    if (method !== "GET") this.#onlooker.left(call);
    return { call, fault };
  }

  /** A crash came before the call left. For all that the object knows it may have left: it noted that it would. */
  swallow(method: string, url: string, body: string | undefined): void {
    if (method !== "GET") this.#onlooker.left(this.#call(method, url, body));
  }

  #call(method: string, url: string, body: string | undefined): Call {
    const path = url.slice(CENTRAL_URL.length);
    const node = /\/member\/(.+)$/.exec(path)?.[1];
    return {
      kind: kindOf(method, path, node),
      method,
      path,
      node,
      body: body === undefined ? undefined : JSON.parse(body),
      leftAt: this.#clock.now,
      known: this.#known,
    };
  }

  /** The call takes effect; returns what the controller answers, and what the object knows once it has that answer. */
  arrive(call: Call, fault: Fault | undefined): { answer: Answer; told: () => void } {
    const lie = fault && lieOf(fault);
    if (lie !== undefined) return { answer: lie, told: () => {} };
    if (fault?.what === "pretend") {
      this.hasLied ||= call.kind === "writeMember";
      this.#onlooker.pretended(call);
      return { answer: this.#pretend(call), told: () => {} };
    }
    const before = this.#seen(call);
    const answer = fault?.what === "hollow" ? hollow(this.#answer(call)) : this.#answer(call);
    if (call.method !== "GET") {
      const after = this.#seen(call);
      this.#onlooker.landed({
        call,
        routes: { before: before.routes, after: after.routes },
        member: { before: before.member, after: after.member },
      });
    }
    const at = this.#clock.now;
    return { answer, told: () => this.#learn(call, at) };
  }

  #learn(call: Call, at: number): void {
    if (call.method !== "GET") this.#onlooker.heard(call);
    const { network, members, member } = this.#known;
    if (call.kind === "readNetwork") this.#known = { network: Math.max(network, at), members, member };
    if (call.kind === "listMembers") this.#known = { network, members: Math.max(members, at), member };
    if (call.node !== undefined)
      this.#known = { network, members, member: new Map([...member, [call.node, at]]) };
  }

  #answer({ method, path, body }: Call): Answer {
    const answer = answerApi(this.#state, { method, path, user: "operator", body }, this.#clock.now);
    return { status: answer.status, text: answer.body === undefined ? "" : JSON.stringify(answer.body) };
  }

  #pretend(call: Call): Answer {
    const { members, config, ...rest } = this.network;
    const kept = structuredClone({ config, rest, members: [...members] });
    const answer = this.#answer(call);
    Object.assign(this.network, kept.rest, { config: kept.config });
    members.clear();
    for (const [node, member] of kept.members) members.set(node, member);
    return answer;
  }

  #seen({ node }: Call): { routes: Route[]; member: Member | undefined } {
    const member = node === undefined ? undefined : this.network.members.get(node);
    return { routes: [...this.network.config.routes], member: structuredClone(member) };
  }

  // What others do there.

  member(node: string): Member | undefined {
    return this.network.members.get(node);
  }

  /** The operator saves the network's routes. */
  saveRoutes(change: (routes: Route[]) => Route[]): void {
    this.network.config.routes = change(this.network.config.routes);
    this.network.revision += 1;
    this.network.lastModified = this.#clock.now;
  }

  /** The operator adds a member by hand, or gives one an address. */
  giveAddress(node: string, address: string): void {
    const member = memberOf(this.network, node, this.#clock.now);
    member.config.ipAssignments = [...new Set([...member.config.ipAssignments, address])];
    member.revision += 1;
  }

  authorize(node: string, authorized: boolean): void {
    setAuthorized(memberOf(this.network, node, this.#clock.now), authorized, this.#clock.now);
  }

  deleteMember(node: string): void {
    this.network.members.delete(node);
  }

  /** A server's zerotier-one asks for its configuration. */
  ask(node: string): void {
    const identity = `${node}:0:${"0".repeat(128)}`;
    configureNode(this.network, { node, identity, physicalAddress: "192.0.2.1" }, this.#clock.now);
  }
}

function kindOf(method: string, path: string, node: string | undefined): CallKind {
  if (path.endsWith("/member")) return "listMembers";
  if (node === undefined) return method === "GET" ? "readNetwork" : "writeNetwork";
  if (method === "GET") return "readMember";
  return method === "DELETE" ? "deleteMember" : "writeMember";
}

/** The network as if it had neither routes nor pools nor modes. */
function hollow({ status, text }: Answer): Answer {
  const network = JSON.parse(text);
  Object.assign(network.config, { routes: null, ipAssignmentPools: null, v6AssignMode: null });
  return { status, text: JSON.stringify(network) };
}

function lieOf({ what, status = 500 }: Fault): Answer | undefined {
  switch (what) {
    case "status":
      return {
        status,
        text: '{"type":"internal","message":"ordered"}',
        ...(status === 429 && { headers: { "retry-after": "5" } }),
      };
    case "page":
      return { status: 200, text: "<html>maintenance" };
    case "null":
      return { status: 200, text: "null" };
    case "empty":
      return { status: 200, text: "[]" };
    case "object":
      return { status: 200, text: "{}" };
    default:
      return undefined;
  }
}
