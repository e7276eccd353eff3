// The object of one ZeroTier network: the only writer of its leases. Thin: each public method can be called by
// RPC and hands on to one operation; results are values, an exception means that the object itself is broken.
import { DurableObject } from "cloudflare:workers";
import { parseConfig } from "../config/config.ts";
import type { Env } from "../env.ts";
import { consoleLog } from "../http/log.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { type EnrolAnswer, enrolNode } from "./enrol-node.ts";
import type { EnrolRequest } from "./enrolment.ts";
import {
  createKey,
  deleteKey,
  type KeyAnswer,
  type KeyRequest,
  type KeyView,
  listKeys,
  userDataOf,
} from "./key-operations.ts";
import { migrate } from "./migrations.ts";
import { type NetworkContext, openNetwork } from "./network-context.ts";

/** ms until the alarm looks again while the Worker is misconfigured. */
const MISCONFIGURED_MS = 10 * 60_000;

/** See above. */
export class NetworkObject extends DurableObject<Env> {
  #network: NetworkContext | undefined;
  #alarm: AlarmClock | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    void ctx.blockConcurrencyWhile(async () => {
      migrate(ctx.storage);
      const alarm = new AlarmClock(ctx.storage, (await ctx.storage.getAlarm()) ?? undefined);
      const read = parseConfig(env);
      if (read.ok) this.#network = openNetwork(ctx.storage, alarm, env.LEASES, read.config);
      this.#alarm = alarm;
    });
  }

  /** Lets a node in. */
  async enrol(request: EnrolRequest): Promise<EnrolAnswer> {
    const net = this.#open();
    return net.outbox.arriving(() => enrolNode(net, request));
  }

  /** Makes an enrolment key. */
  async createKey(request: KeyRequest): Promise<KeyAnswer> {
    return createKey(this.#open(), request);
  }

  /** Keys in the order of their making. */
  listKeys(limit: number, after: string | undefined): KeyView[] {
    return listKeys(this.#open(), limit, after);
  }

  /** Deletes a key; false when there is none. */
  deleteKey(id: string): boolean {
    return deleteKey(this.#open(), id);
  }

  /** The user-data's options that the key with this hash was made with; undefined when there is no such key. */
  userDataOf(keyHash: string): { readonly options: string | null } | undefined {
    return userDataOf(this.#open(), keyHash);
  }

  override async alarm(): Promise<void> {
    const net = this.#network;
    if (net === undefined || this.#alarm === undefined) {
      consoleLog("alarm-put-off", { reason: "misconfigured" });
      await this.ctx.storage.setAlarm(Date.now() + MISCONFIGURED_MS);
      return;
    }
    await this.#alarm.goOff(net.stores.outbox, () => net.outbox.work());
  }

  #open(): NetworkContext {
    if (this.#network === undefined) throw new Error("the Worker is misconfigured; GET /healthz says how");
    return this.#network;
  }
}
