// The network's settings at the controller, which has no compare-and-swap and replaces lists as a whole: so they are
// written only here, one write at a time, each from a read just before.
import type { Controller, ControllerNetwork, NetworkChange } from "./controller.ts";

export interface ChangeOutcome {
  /** The settings as they are at the controller now. */
  readonly network: ControllerNetwork;
  /** What was asked for; undefined when nothing was written. Bad routes are dropped silently there: compare. */
  readonly asked: NetworkChange | undefined;
  /** When the call began that found the settings so (ms since 1970). */
  readonly readAt: number;
}

type Settings = Pick<Controller, "readNetwork" | "writeNetwork">;

export class NetworkWriter {
  readonly #controller: Settings;
  readonly #now: () => number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(controller: Settings, now: () => number) {
    this.#controller = controller;
    this.#now = now;
  }

  /** Reads the settings and writes what `plan` makes of them, if anything, before anybody else here reads or writes. */
  change(
    plan: (network: ControllerNetwork, readAt: number) => NetworkChange | undefined,
  ): Promise<ChangeOutcome> {
    const turn = this.#last.then(async () => {
      const readAt = this.#now();
      const network = await this.#controller.readNetwork();
      const asked = plan(network, readAt);
      if (asked === undefined) return { network, asked, readAt };
      const writtenAt = this.#now();
      return { network: await this.#controller.writeNetwork(asked), asked, readAt: writtenAt };
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
