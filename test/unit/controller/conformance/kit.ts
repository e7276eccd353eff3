import { expect } from "vitest";
import type { SimulatedKind } from "../../../../scripts/simulated-central/face.ts";
import { configureNode, type NodeConfig } from "../../../../scripts/simulated-central/node-config.ts";
import { type RunningCentral, startCentral } from "../../../../scripts/simulated-central/server.ts";
import type { Network } from "../../../../scripts/simulated-central/state.ts";
import type { Controller } from "../../../../worker/controller/controller.ts";
import { makeController } from "../../../../worker/controller/make-controller.ts";
import { type NodeId, parseNetworkId, parseNodeId } from "../../../../worker/lease/ids.ts";
import { makeOpenPace } from "../open-pace.ts";

export const NETWORK = parseNetworkId("8056c2e21c000001") ?? expect.fail();
const TOKEN = "the-secret-token-of-the-operator";

/** A controller of one kind, simulated, and what its operator and its members see of it. */
export interface Kit {
  readonly kind: SimulatedKind;
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

export async function openKit(kind: SimulatedKind): Promise<Kit> {
  const central = await startCentral({ kind, networks: [NETWORK], token: TOKEN, limit: 1000 });
  const network = central.state.networks.get(NETWORK) ?? expect.fail();
  const controllerOf = (token: string, networkId = NETWORK): Controller =>
    makeController(
      { kind, url: central.url, token, headers: {} },
      {
        networkId,
        fetch: (url, init) => fetch(url, init),
        pace: makeOpenPace(),
        now: Date.now,
        timeoutMs: 60_000,
      },
    );
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
