// What must be known before a slot is leased: that the ZeroTier network is fit for the mesh, and which addresses and
// subnets others hold in it by now. Asked once for all enrolments that follow one another closely.
import { parseAddress } from "../address/prefix.ts";
import { errorText, type Log } from "../base/log.ts";
import type { Refusal } from "../base/problem.ts";
import type { Config } from "../config/config.ts";
import { LIMITS } from "../config/limits.ts";
import {
  type Controller,
  ControllerError,
  type ControllerMember,
  type ControllerNetwork,
} from "../controller/controller.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import { fit as compare } from "../controller/fit.ts";
import type { NetworkSettings } from "../controller/network-writer.ts";
import { describePool, slotOfAddress } from "../lease/pool.ts";
import { noteForeignRoutes } from "../outbox/route-delivery.ts";
import type { Stores } from "../store/stores.ts";
import { addressConflicts } from "./address-conflicts.ts";

/** ms within which one enrolment follows another closely, and for which at most what was read for the first does. */
const BURST = { gap: 3_000, most: 30_000 } as const;

/** ms for which what is known does, after the controller failed to tell anew. */
const RETRY_MS = 30_000;

/** Keeps what is known of the network. */
export class NetworkReadiness {
  readonly #stores: Stores;
  readonly #config: Config;
  readonly #controller: Controller;
  readonly #settings: NetworkSettings;
  readonly #log: Log;
  readonly #now: () => number;
  #asking: Promise<Refusal | undefined> | undefined;
  /** When a slot was last wanted, and until when the controller is not asked after it failed (ms since 1970). */
  #wantedAt = 0;
  #notBefore = 0;

  constructor(
    stores: Stores,
    config: Config,
    controller: Controller,
    settings: NetworkSettings,
    log: Log,
    now: () => number,
  ) {
    this.#stores = stores;
    this.#config = config;
    this.#controller = controller;
    this.#settings = settings;
    this.#log = log;
    this.#now = now;
  }

  /** Why no slot can be leased now; undefined when one can. */
  async refusal(): Promise<Refusal | undefined> {
    const fresh = this.#isFresh();
    this.#wantedAt = this.#now();
    if (fresh) return undefined;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Makes the network fit as far as nothing of the operator's is overwritten; answers its settings, or the faults. */
  async makeFit(): Promise<{ network: ControllerNetwork; faults: readonly string[] }> {
    const { pool } = this.#config;
    const { network, asked } = await this.#settings.change((found) => {
      const { change, faults } = compare(found, pool);
      return faults.length === 0 ? change : undefined;
    });
    const left = compare(network, pool);
    const faults = [...left.faults];
    if (asked !== undefined) {
      if (left.change !== undefined)
        faults.push(
          `the controller took the change and did not keep ${Object.keys(left.change).join(", ")}: set it by hand`,
        );
      this.#log("network-made-fit", { faults: faults.length });
    }
    noteForeignRoutes(this.#stores, this.#config, network.routes, this.#log, this.#now());
    this.#stores.facts.setFitness({
      at: this.#now(),
      pool: describePool(this.#config.pool),
      faults,
    });
    if (faults.length > 0) this.#log("network-unfit", { faults: faults.join(" ") });
    return { network, faults };
  }

  /** What stands against the mesh in the network as it is; changes nothing there. */
  async inspect(): Promise<readonly string[]> {
    return compare(await this.#controller.readNetwork(), this.#config.pool).faults;
  }

  /** Remembers the slots whose addresses members hold to whom they are not leased. */
  noteMembers(members: readonly ControllerMember[]): void {
    const { facts, nodes } = this.#stores;
    const held = members.flatMap(({ node: member, addresses }) => {
      const own = nodes.get(member)?.slot;
      return addresses.flatMap((text) => {
        const address = parseAddress(text);
        const slot = address && slotOfAddress(this.#config.pool, address);
        return slot === undefined || slot === own ? [] : [{ slot, address: text, member }];
      });
    });
    const before = JSON.stringify(addressConflicts(this.#stores));
    facts.setSlotsHeld({ at: this.#now(), held });
    const conflicts = addressConflicts(this.#stores);
    if (JSON.stringify(conflicts) === before) return;
    const shown = conflicts.map(({ address, member, node }) => `${address} of ${node} at ${member}`);
    this.#log("address-conflicts", { count: conflicts.length, addresses: shown.join(", ") });
  }

  #isFit(): boolean {
    const fitness = this.#stores.facts.fitness();
    if (fitness === undefined || fitness.faults.length > 0) return false;
    return JSON.stringify(fitness.pool) === JSON.stringify(describePool(this.#config.pool));
  }

  /** Age (ms) of what is known. */
  #age(): number {
    const { facts } = this.#stores;
    return this.#now() - Math.min(facts.fitness()?.at ?? 0, facts.slotsHeld()?.at ?? 0);
  }

  #isFresh(): boolean {
    if (!this.#isFit()) return false;
    const age = this.#age();
    if (this.#now() < this.#notBefore) return age < LIMITS.networkMs;
    return age < BURST.gap || (age < BURST.most && this.#now() - this.#wantedAt < BURST.gap);
  }

  /** Lets the health say what a server met that came, before the hourly run meets it too. */
  #noteLook(unread: string | null, faults: readonly string[]): void {
    const { facts } = this.#stores;
    const now = this.#now();
    const { at, since } = facts.look() ?? { at: now, since: now };
    facts.setLook({ at, since, unread, faults: [...faults] });
  }

  async #ask(): Promise<Refusal | undefined> {
    try {
      const { faults } = await this.makeFit();
      this.#noteLook(null, faults);
      if (faults.length > 0)
        return {
          problem: "network-unfit",
          detail: `the ZeroTier network ${this.#config.network} cannot be used as it is: ${faults.join(" ")}`,
          errors: faults,
          retryAfter: 300,
        };
      this.noteMembers(await this.#controller.listMembers());
      return undefined;
    } catch (error) {
      if (error instanceof ControllerError) this.#noteLook(error.message, []);
      if (!this.#isFit() || this.#age() >= LIMITS.networkMs) return controllerRefusal(error, this.#now());
      // What was read a moment ago is better than no lease: the controller being away must not keep a server out.
      this.#notBefore = this.#now() + RETRY_MS;
      this.#log("network-not-read", { error: errorText(error) });
      return undefined;
    }
  }
}
