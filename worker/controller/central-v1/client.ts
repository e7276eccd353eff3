import { z } from "zod";
import { formatAddress, parseAddress } from "../../address/prefix.ts";
import type { NetworkId, NodeId } from "../../lease/ids.ts";
import {
  type Controller,
  ControllerError,
  type ControllerMember,
  type ControllerNetwork,
  type MemberChange,
} from "../controller.ts";
import type { Pace } from "../pace.ts";
import { readRateHeaders, retryTime } from "./rate-headers.ts";
import { type Answer, quote, refusalOf } from "./refusal.ts";
import { memberAnswer, memberBody, membersAnswer, networkAnswer, networkBody } from "./schema.ts";

/** The part of the platform's `fetch` that the client uses. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string;
    redirect: "manual";
    signal: AbortSignal;
  },
) => Promise<Pick<Response, "status" | "headers" | "text">>;

/** What {@link makeCentralV1} needs. */
export interface CentralV1Options {
  /** The API's base, such as `https://api.zerotier.com/api/v1`. */
  readonly url: string;
  readonly token: string;
  readonly networkId: NetworkId;
  readonly fetch: Fetch;
  /** A signal that is aborted after so many ms. */
  readonly timeout?: (ms: number) => AbortSignal;
  readonly pace: Pace;
  readonly now: () => number;
  /** For each call, from the moment that it leaves until its answer is read. */
  readonly timeoutMs?: number;
}

/** Looks at settings of which each shows others as null, before none is believed. */
const MOST_LOOKS = 4;

const TIMEOUT_MS = 10_000;
/** A member takes about 1 KB; the Worker has 128 MB. */
const MAX_ANSWER_CHARACTERS = 32 * 1024 * 1024;

/**
 * A network at ZeroTier Central, by its API v1 (or at whatever speaks it). Every call is one request, three for `removeMember`, and
 * one more where what came back is empty that seldom is.
 */
export function makeCentralV1(options: CentralV1Options): Controller {
  const { token, networkId, pace, now, fetch } = options;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const timeout = options.timeout ?? ((ms) => AbortSignal.timeout(ms));
  const base = options.url.replace(/\/+$/, "");
  const origin = URL.canParse(base) ? new URL(base).origin : "the controller";
  const hide = (text: string): string => (token === "" ? text : text.replaceAll(token, "[token]"));

  /** Members that the network had when it was last read; 0 also when it does not say. */
  let counted = 0;

  async function exchange(method: string, path: string, doing: string, body?: object): Promise<Answer> {
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new ControllerError(
        "unauthorized",
        "ZEROTIER_TOKEN is empty or holds a space, a line break or a character that no token has: store it again with: wrangler secret put ZEROTIER_TOKEN",
      );
    }
    const signal = timeout(timeoutMs);
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: {
          authorization: `token ${token}`,
          accept: "application/json",
          ...(body && { "content-type": "application/json" }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: "manual",
        signal,
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      const changed = method === "GET" ? "" : "; the change may have taken effect all the same";
      if (signal.aborted) {
        throw new ControllerError(
          "timeout",
          `${doing} at ${origin} failed: no answer within ${timeoutMs / 1000} s${changed}. It is tried again; if it lasts, look at status.zerotier.com`,
        );
      }
      throw new ControllerError(
        "unreachable",
        `${doing} at ${origin} failed: no connection, or it broke${causeOf(error)}${changed}. It is tried again; check ZEROTIER_URL if it lasts`,
      );
    }
  }

  /** One call in its turn: the answer's text. Throws unless it is a 2xx. */
  async function ask(
    method: string,
    path: string,
    doing: string,
    body?: object,
    order?: "first",
  ): Promise<string> {
    const answer = await pace.run(() => exchange(method, path, doing, body), order);
    const answeredAt = now();
    const rate = readRateHeaders(answer.headers, answeredAt);
    if (rate.limit !== undefined) pace.learnLimit(rate.limit);
    if (answer.status === 429) pace.holdUntil(retryTime(answer.headers, answeredAt));
    else if (rate.remaining === 0 && rate.resetAt !== undefined) pace.holdUntil(rate.resetAt);
    const refusal = refusalOf(answer, { doing, network: networkId, origin }, answeredAt, hide);
    if (refusal !== undefined) throw refusal;
    return answer.text;
  }

  function parse<T>(schema: z.ZodType<T>, text: string, doing: string): T {
    const bad = (why: string): ControllerError =>
      new ControllerError(
        "bad-answer",
        `${doing} at ${origin} failed: ${why}. Check that ZEROTIER_URL is the API itself, such as https://api.zerotier.com/api/v1`,
      );
    if (text.length > MAX_ANSWER_CHARACTERS) throw bad("the answer is over 32 MB");
    const json = parseJson(text);
    if (json === undefined) throw bad(`the answer is not JSON${quote(hide(text))}`);
    const result = schema.safeParse(json.value);
    if (result.success) return result.data;
    throw bad(`the answer has not the expected shape: ${z.prettifyError(result.error).slice(0, 300)}`);
  }

  function parseNetwork(text: string, doing: string) {
    const answer = parse(networkAnswer, text, doing);
    const { id, memberCount } = answer;
    if (id !== undefined && id.toLowerCase() !== networkId) {
      throw new ControllerError(
        "bad-answer",
        `${doing} at ${origin} failed: asked for network ${networkId}, got another one`,
      );
    }
    counted = memberCount;
    return answer;
  }

  const networkPath = `/network/${networkId}`;

  async function lookAtNetwork() {
    const doing = "reading the network";
    return parseNetwork(await ask("GET", networkPath, doing, undefined, "first"), doing);
  }

  /** The settings as they are; null in them is believed when the next look shows the same, since by it the operator's would be wiped. */
  async function readNetwork(): Promise<ControllerNetwork> {
    let before: string | undefined;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const { nulls, network } = await lookAtNetwork();
      if (nulls === "" || nulls === before) return network;
      before = nulls;
    }
    throw new ControllerError(
      "bad-answer",
      `reading the network at ${origin} failed: each look shows other settings as null (the last ${before}). It is tried again`,
    );
  }

  async function readMember(node: NodeId): Promise<ControllerMember | undefined> {
    const doing = `reading member ${node}`;
    let text: string;
    try {
      text = await ask("GET", `${networkPath}/member/${node}`, doing);
    } catch (error) {
      // Also when the whole network is gone: then there is no such member either.
      if (error instanceof ControllerError && error.reason === "not-found") return undefined;
      throw error;
    }
    const member = parse(memberAnswer, text, doing);
    if (member.node === node) return member;
    throw new ControllerError("bad-answer", `${doing} at ${origin} failed: member ${member.node} came back`);
  }

  async function putMember(node: NodeId, change: MemberChange): Promise<ControllerMember> {
    const doing = `changing member ${node}`;
    const text = await ask("POST", `${networkPath}/member/${node}`, doing, memberBody(change));
    const member = parse(memberAnswer, text, doing);
    const missed = notTaken(node, change, member);
    if (missed === undefined) return member;
    throw new ControllerError(
      "rejected",
      `${doing} at ${origin} failed: it was answered with success, but ${missed}. Look at the member in the controller`,
    );
  }

  return {
    readNetwork,
    async writeNetwork(change) {
      const doing = "changing the network";
      // It replaces lists that were read just before: what somebody else writes in between is lost, so it does not queue.
      const text = await ask("POST", networkPath, doing, networkBody(change), "first");
      const { nulls, network } = parseNetwork(text, doing);
      if (nulls === "") return network;
      try {
        return await readNetwork();
      } catch (error) {
        if (!(error instanceof ControllerError)) throw error;
        // What failed is the look: the change has taken effect.
        throw new ControllerError(
          "bad-answer",
          `${doing} was answered with null, and ${error.message}`,
          error.retryAt,
        );
      }
    },
    async listMembers() {
      const doing = "listing the members";
      const list = parse(
        membersAnswer,
        await ask("GET", `${networkPath}/member`, doing, undefined, "first"),
        doing,
      );
      if (list.members.length + list.unread.length > 0) return list;
      // By an empty list every address would be free: the network itself counts its members.
      if (counted === 0) return list;
      throw new ControllerError(
        "bad-answer",
        `${doing} at ${origin} failed: the list is empty, and the network has ${counted} of them. It is tried again`,
      );
    },
    readMember,
    putMember,
    async removeMember(node) {
      await putMember(node, { authorized: false });
      const doing = `deleting member ${node}`;
      try {
        await ask("DELETE", `${networkPath}/member/${node}`, doing);
      } catch (error) {
        // Somebody else deleted it in between. The call before creates an absent member, so its 404 is the network's.
        if (!(error instanceof ControllerError && error.reason === "not-found")) throw error;
      }
      // The answer to a DELETE has no content by which a page of somebody else's would be told from it.
      if ((await readMember(node)) !== undefined)
        throw new ControllerError(
          "rejected",
          `${doing} at ${origin} failed: it was answered with success, but the member is still there. It is tried again`,
        );
    },
  };
}

/** What of the change is not in the member that came back, for a message; undefined when all is there. */
function notTaken(node: string, change: MemberChange, member: ControllerMember): string | undefined {
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

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The code of a network error, when it is a plain one; never its message, which could quote a header. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code =
    typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
      ? cause.code
      : "";
  return /^[A-Z_]{2,40}$/.test(code) ? ` (${code})` : "";
}
