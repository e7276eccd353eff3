import type { Host, HostStore } from "../store/host-store.ts";

/** A list of the servers that are in the mesh, by slot, and which one it is. */
interface HostList {
  readonly version: string;
  readonly all: readonly Host[];
}

/** The list grows with the fleet, and whoever is in it may ask: it is read once after each change, while the object lives. */
export class KnownHosts {
  readonly #store: HostStore;
  #known: HostList | undefined;

  constructor(store: HostStore) {
    this.#store = store;
  }

  /** Within a transaction: the list as it is, with its version. */
  now(): HostList {
    const version = this.#store.version();
    if (this.#known?.version !== version) this.#known = { version, all: this.#store.all() };
    return this.#known;
  }
}
