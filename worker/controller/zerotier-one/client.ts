import type { NetworkId, NodeId } from "../../lease/ids.ts";
import { type ApiDialect, type ClientOptions, makeApi } from "../api/api.ts";
import type { Remedies } from "../api/refusal.ts";
import {
  type Controller,
  ControllerError,
  type ControllerMember,
  type ControllerNetwork,
} from "../controller.ts";
import { notTaken } from "../not-taken.ts";
import { memberAnswer, memberBody, membersAnswer, networkAnswer, networkBody } from "./schema.ts";

/** What {@link makeZerotierOne} needs. */
export interface ZerotierOneOptions extends ClientOptions {
  readonly networkId: NetworkId;
  /** What each call carries besides the token, for whoever stands before the controller; their values are secrets. */
  readonly headers: Readonly<Record<string, string>>;
}

const REMEDIES: Remedies = {
  token:
    "ZEROTIER_TOKEN must be what the controller has in its authtoken.secret, and ZEROTIER_HEADERS what a proxy before it asks for: store them with: wrangler secret put ZEROTIER_TOKEN",
  missing: "Check ZEROTIER_NETWORK, and that ZEROTIER_URL is the controller that holds the network",
  url: "https://controller.example.com",
  down: "the controller's zerotier-one, and what stands before it",
};

/**
 * A network at the controller inside a zerotier-one, by its HTTP API. Every call is one request, three for `removeMember`. Lists of
 * members are there from 1.14.0 on. `told`: what its errors call it, and advise.
 */
export function makeZerotierOne(
  options: ZerotierOneOptions,
  told: Pick<ApiDialect, "remedies" | "place"> = { remedies: REMEDIES },
): Controller {
  const { token, networkId, headers } = options;
  const { ask, parse, origin } = makeApi(options, {
    ...told,
    network: networkId,
    headers: { ...headers, "x-zt1-auth": token },
    secrets: Object.values(headers),
  });
  const networkPath = `/controller/network/${networkId}`;

  function parseNetwork(text: string, doing: string): ControllerNetwork {
    const { id, network } = parse(networkAnswer, text, doing);
    if (id === networkId) return network;
    throw new ControllerError(
      "bad-answer",
      `${doing} at ${origin} failed: asked for network ${networkId}, got another one`,
    );
  }

  function parseMember(node: NodeId, text: string, doing: string): ControllerMember {
    const member = parse(memberAnswer, text, doing);
    if (member.node === node) return member;
    throw new ControllerError("bad-answer", `${doing} at ${origin} failed: member ${member.node} came back`);
  }

  async function readMember(node: NodeId): Promise<ControllerMember | undefined> {
    const doing = `reading member ${node}`;
    try {
      return parseMember(node, await ask("GET", `${networkPath}/member/${node}`, doing), doing);
    } catch (error) {
      // Also when the whole network is gone: then there is no such member either.
      if (error instanceof ControllerError && error.reason === "not-found") return undefined;
      throw error;
    }
  }

  const putMember: Controller["putMember"] = async (node, change) => {
    const doing = `changing member ${node}`;
    const text = await ask("POST", `${networkPath}/member/${node}`, doing, memberBody(change));
    const member = parseMember(node, text, doing);
    const missed = notTaken(node, change, member);
    if (missed === undefined) return member;
    throw new ControllerError(
      "rejected",
      `${doing} at ${origin} failed: it was answered with success, but ${missed}. Look at the member in the controller`,
    );
  };

  return {
    async readNetwork() {
      const doing = "reading the network";
      return parseNetwork(await ask("GET", networkPath, doing, undefined, "first"), doing);
    },
    async writeNetwork(change) {
      const doing = "changing the network";
      // A write to a network that is not there makes one, without anything of the operator's: it is read in the call before.
      return parseNetwork(await ask("POST", networkPath, doing, networkBody(change), "first"), doing);
    },
    async listMembers() {
      const doing = "listing the members";
      const text = await ask("GET", `/unstable${networkPath}/member`, doing, undefined, "first");
      return parse(membersAnswer, text, doing);
    },
    readMember,
    putMember,
    async removeMember(node) {
      await putMember(node, { authorized: false });
      const doing = `deleting member ${node}`;
      try {
        await ask("DELETE", `${networkPath}/member/${node}`, doing);
      } catch (error) {
        // Somebody else deleted it in between.
        if (!(error instanceof ControllerError && error.reason === "not-found")) throw error;
      }
      if ((await readMember(node)) !== undefined)
        throw new ControllerError(
          "rejected",
          `${doing} at ${origin} failed: it was answered with success, but the member is still there. It is tried again`,
        );
    },
  };
}
