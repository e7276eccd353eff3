import { expect } from "vitest";
import { SIMULATED_KINDS } from "../../../../scripts/simulated-central/face.ts";
import { configureNode, type NodeConfig } from "../../../../scripts/simulated-central/node-config.ts";
import { type RunningCentral, startCentral } from "../../../../scripts/simulated-central/server.ts";
import type { Network } from "../../../../scripts/simulated-central/state.ts";
import type { Fetch } from "../../../../worker/controller/api/api.ts";
import type { Controller } from "../../../../worker/controller/controller.ts";
import { makeController } from "../../../../worker/controller/make-controller.ts";
import { type Done, type Exchange, WorkQueue } from "../../../../worker/controller/own/work-queue.ts";
import { type NodeId, parseNetworkId, parseNodeId } from "../../../../worker/lease/ids.ts";
import { makeOpenPace } from "../open-pace.ts";

export const NETWORK = parseNetworkId("8056c2e21c000001") ?? expect.fail();
const TOKEN = "the-secret-token-of-the-operator";

/** The kinds that can be held to the promises here: one that a node hosts is a zerotier-one, which that node asks. */
export const KINDS = [...SIMULATED_KINDS, "own"] as const;

type Kind = (typeof KINDS)[number];

/** A controller of one kind, simulated, and what its operator and its members see of it. */
export interface Kit {
  readonly kind: Kind;
  readonly controller: Controller;
  /** The same, with a token that is not the one. */
  readonly stranger: Controller;
  /** The same, of a network that is not there. */
  readonly elsewhere: Controller;
  readonly central: RunningCentral;
  /** The network as it is kept there: what the operator changes by hand. */
  readonly network: Network;
  /** A member asks for its configuration. */
  configure(node: NodeId, key?: string): NodeConfig;
  /** Calls that have arrived since this was asked last. */
  calls(): number;
  close(): Promise<void>;
}

export async function openKit(kind: Kind): Promise<Kit> {
  const central = await startCentral({
    kind: kind === "own" ? "url" : kind,
    networks: [NETWORK],
    token: TOKEN,
    limit: 1000,
  });
  const network = central.state.networks.get(NETWORK) ?? expect.fail();
  const controllerOf = (token: string, networkId = NETWORK): Controller => {
    const settings = kind === "own" ? { kind, identity: "" } : { kind, url: central.url, token, headers: {} };
    return makeController(settings, {
      networkId,
      fetch: kind === "own" ? hosted(central.url, token) : (url, init) => fetch(url, init),
      pace: makeOpenPace(),
      now: Date.now,
      timeoutMs: 60_000,
    });
  };
  return {
    kind,
    controller: controllerOf(TOKEN),
    stranger: controllerOf("somebody-else-with-a-token"),
    elsewhere: controllerOf(TOKEN, parseNetworkId("8056c2e21c0000ff") ?? expect.fail()),
    central,
    network,
    configure: (node, key = "ab") =>
      configureNode(
        network,
        { node, identity: `${node}:0:${key.repeat(64)}`, physicalAddress: "192.0.2.1" },
        Date.now(),
      ),
    calls() {
      const total = Object.values(central.calls.counts().byCall).reduce((sum, count) => sum + count, 0);
      central.calls.reset();
      return total;
    },
    close: () => central.close(),
  };
}

export function nodeId(text: string): NodeId {
  return parseNodeId(text) ?? expect.fail(`${text} is no node id`);
}

/** What a node does that hosts the controller: each call, at its own loopback. */
function hosted(url: string, token: string): Fetch {
  const queue = new WorkQueue(1);
  return (...call) => {
    const answer = queue.fetch(...call);
    void Promise.all(queue.take(1).map((exchange) => doAt(url, token, exchange))).then((all) => {
      for (const done of all) queue.answer(done);
    });
    return answer;
  };
}

async function doAt(url: string, token: string, { id, method, path, body }: Exchange): Promise<Done> {
  try {
    const headers = { "x-zt1-auth": token, "content-type": "application/json" };
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body }) });
    return { id, status: answer.status, body: await answer.text() };
  } catch {
    return { id, status: 0, body: "" };
  }
}
