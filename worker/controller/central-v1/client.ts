import type { NetworkId, NodeId } from "../../lease/ids.ts";
import { type ClientOptions, makeApi } from "../api/api.ts";
import type { Remedies } from "../api/refusal.ts";
import {
  type Controller,
  ControllerError,
  type ControllerMember,
  type ControllerNetwork,
  type MemberChange,
} from "../controller.ts";
import { notTaken } from "../not-taken.ts";
import { memberAnswer, memberBody, membersAnswer, networkAnswer, networkBody } from "./schema.ts";

/** What {@link makeCentralV1} needs. */
export interface CentralV1Options extends ClientOptions {
  readonly networkId: NetworkId;
}

/** Looks at settings of which each shows others as null, before none is believed. */
const MOST_LOOKS = 4;

const REMEDIES: Remedies = {
  token:
    "Make a token in the account that owns the network (my.zerotier.com, Account, API Access Tokens) and store it with: wrangler secret put ZEROTIER_TOKEN",
  missing:
    "Check ZEROTIER_NETWORK, ZEROTIER_URL, and that ZEROTIER_TOKEN belongs to the account that owns the network",
  url: "https://api.zerotier.com/api/v1",
  down: "status.zerotier.com",
};

/**
 * A network at ZeroTier Central, by its API v1 (or at whatever speaks it). Every call is one request, three for `removeMember`, and
 * one more where what came back is empty that seldom is.
 */
export function makeCentralV1(options: CentralV1Options): Controller {
  const { token, networkId } = options;
  const { ask, parse, origin } = makeApi(options, {
    network: networkId,
    headers: { authorization: `token ${token}` },
    remedies: REMEDIES,
  });

  /** Members that the network had when it was last read; 0 also when it does not say. */
  let counted = 0;

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
