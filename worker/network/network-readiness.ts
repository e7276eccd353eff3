// What must be known before the first slot is leased: that the ZeroTier network is fit for the mesh, and which
// addresses other members hold. Asked once for all enrolments that wait, and remembered.
import { parseAddress } from "../address/prefix.ts";
import type { Config } from "../config/config.ts";
import { LIMITS } from "../config/limits.ts";
import type { Controller, ControllerMember, ControllerNetwork } from "../controller/controller.ts";
import { fit as compare } from "../controller/fit.ts";
import { errorText, type Log } from "../http/log.ts";
import type { Refusal } from "../http/problem.ts";
import { describePool, slotOfAddress } from "../lease/pool.ts";
import { controllerRefusal } from "./controller-refusal.ts";
import type { NetworkSettings } from "./network-settings.ts";
import { noteForeignRoutes } from "./route-publisher.ts";
import type { Stores } from "./stores.ts";

/** ms for which an old list of members does, after the controller failed to give a new one. */
const MEMBERS_RETRY_MS = 30_000;

/** Keeps what is known of the network. */
export class NetworkReadiness {
  readonly #stores: Stores;
  readonly #config: Config;
  readonly #controller: Controller;
  readonly #settings: NetworkSettings;
  readonly #log: Log;
  readonly #now: () => number;
  #asking: Promise<Refusal | undefined> | undefined;
  #membersNotBefore = 0;

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
    if (this.#isFit() && this.#knowsMembers()) return undefined;
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

  /** Remembers the slots whose addresses members hold that are not ours. */
  noteMembers(members: readonly ControllerMember[]): void {
    const slots = members
      .filter(({ node }) => this.#stores.nodes.get(node) === undefined)
      .flatMap(({ addresses }) => addresses)
      .flatMap((text) => {
        const address = parseAddress(text);
        const slot = address && slotOfAddress(this.#config.pool, address);
        return slot === undefined ? [] : [slot];
      });
    this.#stores.facts.setSlotsHeld({ at: this.#now(), slots: [...new Set(slots)] });
  }

  #isFit(): boolean {
    const fitness = this.#stores.facts.fitness();
    if (fitness === undefined || fitness.faults.length > 0) return false;
    return JSON.stringify(fitness.pool) === JSON.stringify(describePool(this.#config.pool));
  }

  #knowsMembers(): boolean {
    const held = this.#stores.facts.slotsHeld();
    if (held === undefined) return false;
    return this.#now() - held.at < LIMITS.membersMs || this.#now() < this.#membersNotBefore;
  }

  async #ask(): Promise<Refusal | undefined> {
    try {
      if (!this.#isFit()) {
        const { faults } = await this.makeFit();
        if (faults.length > 0)
          return {
            problem: "network-unfit",
            detail: `the ZeroTier network ${this.#config.network} cannot be used as it is: ${faults.join(" ")}`,
            errors: faults,
            retryAfter: 300,
          };
      }
      if (!this.#knowsMembers()) await this.#listMembers();
      return undefined;
    } catch (error) {
      return controllerRefusal(error, this.#now());
    }
  }

  async #listMembers(): Promise<void> {
    try {
      this.noteMembers(await this.#controller.listMembers());
    } catch (error) {
      if (this.#stores.facts.slotsHeld() === undefined) throw error;
      // An old list is better than no lease: the controller being away must not keep a server out.
      this.#membersNotBefore = this.#now() + MEMBERS_RETRY_MS;
      this.#log("members-not-listed", { error: errorText(error) });
    }
  }
}
