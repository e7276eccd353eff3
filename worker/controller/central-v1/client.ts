import { z } from "zod";
import { formatAddress, parseAddress } from "../../address/prefix.ts";
import type { NetworkId } from "../../lease/ids.ts";
import { type Controller, ControllerError, type ControllerMember, type MemberChange } from "../controller.ts";
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
) => Promise<Response>;

/** What {@link makeCentralV1} needs. */
export interface CentralV1Options {
  /** The API's base, such as `https://api.zerotier.com/api/v1`. */
  readonly url: string;
  readonly token: string;
  readonly networkId: NetworkId;
  readonly fetch: Fetch;
  readonly pace: Pace;
  readonly now: () => number;
  /** For each call, from the moment that it leaves until its answer is read. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** A member takes about 1 KB; the Worker has 128 MB. */
const MAX_ANSWER_CHARACTERS = 32 * 1024 * 1024;

/** A network at ZeroTier Central, by its API v1 (or at whatever speaks it). Every call is one request, two for `removeMember`. */
export function makeCentralV1(options: CentralV1Options): Controller {
  const { token, networkId, pace, now, fetch } = options;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const base = options.url.replace(/\/+$/, "");
  const origin = URL.canParse(base) ? new URL(base).origin : "the controller";
  const hide = (text: string): string => (token === "" ? text : text.replaceAll(token, "[token]"));

  async function exchange(method: string, path: string, doing: string, body?: object): Promise<Answer> {
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new ControllerError(
        "unauthorized",
        "ZEROTIER_TOKEN is empty or holds a space, a line break or a character that no token has: store it again with: wrangler secret put ZEROTIER_TOKEN",
      );
    }
    const signal = AbortSignal.timeout(timeoutMs);
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
    throw bad(`the answer has not the expected shape: ${hide(z.prettifyError(result.error).slice(0, 300))}`);
  }

  function parseNetwork(text: string, doing: string) {
    const { id, network: settings } = parse(networkAnswer, text, doing);
    if (id !== undefined && id.toLowerCase() !== networkId) {
      throw new ControllerError(
        "bad-answer",
        `${doing} at ${origin} failed: asked for network ${networkId}, got another one`,
      );
    }
    return settings;
  }

  const networkPath = `/network/${networkId}`;

  return {
    async readNetwork() {
      const doing = "reading the network";
      return parseNetwork(await ask("GET", networkPath, doing), doing);
    },
    async writeNetwork(change) {
      const doing = "changing the network";
      // It replaces lists that were read just before: what somebody else writes in between is lost, so it does not queue.
      return parseNetwork(await ask("POST", networkPath, doing, networkBody(change), "first"), doing);
    },
    async listMembers() {
      const doing = "listing the members";
      return parse(membersAnswer, await ask("GET", `${networkPath}/member`, doing), doing);
    },
    async readMember(node) {
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
      throw new ControllerError(
        "bad-answer",
        `${doing} at ${origin} failed: member ${member.node} came back`,
      );
    },
    async putMember(node, change) {
      const doing = `changing member ${node}`;
      const text = await ask("POST", `${networkPath}/member/${node}`, doing, memberBody(change));
      const member = parse(memberAnswer, text, doing);
      const missed = notTaken(node, change, member);
      if (missed === undefined) return member;
      throw new ControllerError(
        "rejected",
        `${doing} at ${origin} failed: it was answered with success, but ${missed}. Look at the member in the controller`,
      );
    },
    async removeMember(node) {
      const path = `${networkPath}/member/${node}`;
      await ask("POST", path, `deauthorizing member ${node}`, memberBody({ authorized: false }));
      try {
        await ask("DELETE", path, `deleting member ${node}`);
      } catch (error) {
        // Somebody else deleted it in between. The call before creates an absent member, so its 404 is the network's.
        if (!(error instanceof ControllerError && error.reason === "not-found")) throw error;
      }
    },
  };
}

/** What of the change is not in the member that came back, for a message; undefined when all is there. */
function notTaken(node: string, change: MemberChange, member: ControllerMember): string | undefined {
  if (member.node !== node) return `member ${member.node} came back`;
  if (change.authorized !== undefined && member.authorized !== change.authorized) {
    return `the member is ${member.authorized ? "still authorized" : "not authorized"}`;
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
