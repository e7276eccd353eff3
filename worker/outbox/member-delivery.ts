// Brings one member at the controller in line with its lease, whatever that is by now.
import type { Config } from "../config/config.ts";
import type { Controller } from "../controller/controller.ts";
import { parseNodeId } from "../lease/ids.ts";
import { freeAt } from "../lease/lease-times.ts";
import { zerotierAddress } from "../lease/pool.ts";
import type { Stores } from "../store/stores.ts";
import type { Delivery } from "./outbox.ts";
import { queueRoutes } from "./queue.ts";

/** What delivering members works with. */
export interface MemberDeliveryOptions {
  readonly stores: Stores;
  readonly config: Config;
  readonly controller: Controller;
  readonly now: () => number;
}

/** An active node is authorized, named and given its address in one call; one that is gone is removed; any other is deauthorized. */
export function memberDelivery({ stores, config, controller, now }: MemberDeliveryOptions): Delivery {
  return {
    cost: (subject) => (stores.nodes.get(subject) === undefined ? 2 : 1),
    async deliver(subject) {
      const node = parseNodeId(subject);
      if (node === undefined) return;
      const lease = stores.nodes.get(node);
      if (lease === undefined) await controller.removeMember(node);
      // Never noAutoAssignIps: it withholds the 6PLANE address too.
      else if (lease.state === "active")
        await controller.putMember(node, {
          name: lease.name,
          authorized: true,
          addresses: [zerotierAddress(config.pool, lease.slot)],
        });
      else await controller.putMember(node, { authorized: false });
      stores.transaction(() => {
        stores.nodes.delivered(node, now());
        stores.slots.beginQuarantine(node, lease?.slot, freeAt(now()));
        queueRoutes(stores, now());
      });
    },
  };
}
