import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Config } from "../../worker/config/config.ts";
import { type NetworkContext, openNetwork } from "../../worker/network/network-context.ts";
import type { NetworkObject } from "../../worker/network/network-object.ts";
import { AlarmClock } from "../../worker/outbox/alarm-clock.ts";
import { openStores, type Stores } from "../../worker/store/stores.ts";

/** An object's tables as a test opens them for itself, beside the object: they set no alarm, and their clock stands at 0. */
export function ownStores(storage: DurableObjectStorage): Stores {
  return openStores(
    storage,
    () => {},
    () => 0,
  );
}

/** Does something with the tables of an object, as {@link ownStores} opens them. */
export function inOwnStores<T>(
  object: DurableObjectStub<NetworkObject>,
  work: (stores: Stores, storage: DurableObjectStorage) => T,
): Promise<T> {
  return runInDurableObject(object, (_, { storage }) => work(ownStores(storage), storage));
}

/** A network over an object's tables, beside the object's own: with these settings, the alarm on the clock `now` (ms since 1970). */
export function ownNetwork(storage: DurableObjectStorage, config: Config, now: () => number): NetworkContext {
  const alarm = new AlarmClock({ storage, setTo: undefined, now, log: () => {} });
  const stores = openStores(storage, (waiting) => alarm.arm(waiting), now);
  return openNetwork(stores, env.LEASES, config);
}
