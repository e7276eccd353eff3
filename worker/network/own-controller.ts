// The controller that a node of the mesh hosts. Whose turn that is stands in storage; what it is to do waits in memory until that node asks.
import type { Log } from "../base/log.ts";
import type { Fetch } from "../controller/api/api.ts";
import { type Mirrored, newsOf, rebuilding, shutOut } from "../controller/own/mirror.ts";
import { type Done, type Exchange, WorkQueue } from "../controller/own/work-queue.ts";
import type { Deed } from "../lease/deed.ts";
import type { NetworkId } from "../lease/ids.ts";
import type { ControllerTurn } from "../store/memory-store.ts";
import type { Stores } from "../store/stores.ts";

export interface OwnControllerOptions {
  readonly stores: Stores;
  readonly networkId: NetworkId;
  /** The controller's secret identity. */
  readonly identity: string;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** What a node says of itself when it asks for work. */
export interface WorkAsk {
  /** The number of the turn whose controller it holds; 0: of none. */
  readonly has: number;
  readonly running: boolean;
  /** Whether its zerotier-one has a controller inside. */
  readonly capable: boolean;
  readonly done: readonly Done[];
}

/** What a node is told that asks for work. */
export interface Work {
  readonly turn: "yours" | "other" | "none";
  readonly number: number | undefined;
  /** Seconds until it should ask again. */
  readonly ask: number;
  readonly identity: string | undefined;
  readonly work: readonly Exchange[];
}

/** Seconds between two asks: when nothing happens, and of one who is no controller and may become one. */
const ASK = { idle: 15, candidate: 60 } as const;
/** ms for which an ask is held that finds nothing to do: while somebody is expected, and when what was done may lead to more. */
const HOLD_MS = { expecting: 8_000, done: 1_000 } as const;
/** ms for which somebody is expected. */
const EXPECT_MS = 10 * 60_000;
/** Calls that are handed out at a time. */
const MOST = 50;
/** ms after which it is written down again that the node asks: each time is a row. */
const NOTED_MS = 5 * 60_000;
/** ms for which a node that said that its controller does not run is believed: then nobody waits for it. */
const STOPPED_MS = 60_000;
/** ms after which a node that has not asked is taken for away: then nobody waits for it either. */
const SILENT_MS = 40_000;

export class OwnController {
  readonly #options: OwnControllerOptions;
  readonly #queue: WorkQueue;
  #expectedUntil = 0;
  #stoppedAt: number | undefined;
  /** When the node whose turn it is asked last; at first when this began, since it may be about to. */
  #heardAt: number;
  /** The calls that make the controller what it was, while it is told them; by id. */
  #rebuild: { readonly number: number; readonly left: Map<string, Exchange> } | undefined;

  constructor(options: OwnControllerOptions) {
    this.#options = options;
    this.#heardAt = options.now();
    this.#queue = new WorkQueue(Math.floor(options.random() * 1e9));
  }

  /** In place of the platform's fetch. Fails at once while it is known that nobody hosts the controller. */
  readonly fetch: Fetch = (url, init) => {
    if (this.turn() === undefined) return Promise.reject(new Error("no node hosts the controller yet"));
    if (this.#isStopped()) return Promise.reject(new Error("the controller does not run on its node yet"));
    if (this.#options.now() - this.#heardAt > SILENT_MS)
      return Promise.reject(new Error("the node that hosts the controller does not ask"));
    return this.#queue.fetch(url, init);
  };

  turn(): ControllerTurn | undefined {
    return this.#options.stores.memory.controllerTurn();
  }

  isTurnOf(node: string): boolean {
    return this.turn()?.node === node;
  }

  /** What a node is told of its part with its lease. */
  roleOf(node: string): "yours" | "candidate" | undefined {
    if (this.isTurnOf(node)) return "yours";
    return this.#options.stores.memory.controllerCandidates().includes(node) ? "candidate" : undefined;
  }

  /** Within a transaction: it is the node's turn from now on. Whoever had it stops its controller when it asks. */
  give(node: string, deed: Omit<Deed, "action">): ControllerTurn {
    const { stores, now } = this.#options;
    const number = (this.turn()?.number ?? 0) + 1;
    const turn = { number, node, since: now(), isWhole: false, isFound: false, askedAt: null };
    stores.memory.setControllerTurn(turn);
    const lease = stores.nodes.get(node);
    stores.events.add(now(), { ...deed, action: "controller-moved" }, lease);
    this.#rebuild = undefined;
    // It does not run there yet: nobody need wait for it.
    this.#stoppedAt = now();
    this.#queue.refuseAll();
    return turn;
  }

  /** Somebody is about to come in: for some minutes the node that hosts the controller is answered as soon as there is something to do. */
  expect(): void {
    this.#expectedUntil = this.#options.now() + EXPECT_MS;
  }

  /** Takes what a node has done, and gives it the next. */
  async ask(node: string, ask: WorkAsk): Promise<Work> {
    const turn = this.#turnFor(node, ask);
    if (turn?.node !== node) {
      const ended = turn === undefined ? "none" : "other";
      return { turn: ended, number: turn?.number, ask: ASK.candidate, identity: undefined, work: [] };
    }
    this.#note(turn, ask);
    const { number } = turn;
    const mine = { turn: "yours", number, ask: ASK.idle, identity: undefined, work: [] } as const;
    if (ask.has !== number) {
      const { identity } = this.#options;
      return ask.capable && !turn.isFound ? { ...mine, ask: 1, identity } : mine;
    }
    for (const done of ask.done) this.#take(number, done);
    if (!ask.running) return { ...mine, ask: 1 };
    const work = await this.#next(number, ask.done.length > 0);
    return { ...mine, ask: work.length > 0 || this.#isExpecting() ? 0 : ASK.idle, work };
  }

  /** The turn as it is, after one that nobody knows of: storage was lost, and the node's controller runs on. */
  #turnFor(node: string, { has, running }: WorkAsk): ControllerTurn | undefined {
    const { stores, now, log } = this.#options;
    const turn = this.turn();
    if (turn !== undefined || !running || has === 0) return turn;
    log("controller-found", { node, turn: has });
    return stores.transaction(() => {
      // The identity is not handed to whoever says so: it has it, or the operator moves the controller.
      const found = { number: has, node, since: now(), isWhole: true, isFound: true, askedAt: now() };
      stores.memory.setControllerTurn(found);
      const by = { who: "node", id: node } as const;
      stores.events.add(
        now(),
        { by, action: "controller-moved", why: "was-running" },
        stores.nodes.get(node),
      );
      return found;
    });
  }

  /** Notes that the node asks, and whether what it holds is whole. */
  #note(turn: ControllerTurn, { has, running }: WorkAsk): void {
    const { stores, now } = this.#options;
    this.#heardAt = now();
    this.#stoppedAt = running && has === turn.number ? undefined : now();
    // A new home: all that was told to the one before it is lost.
    const isWhole = turn.isWhole && has === turn.number;
    if (isWhole === turn.isWhole && now() - (turn.askedAt ?? 0) < NOTED_MS) return;
    stores.transaction(() => stores.memory.setControllerTurn({ ...turn, isWhole, askedAt: now() }));
  }

  #isStopped(): boolean {
    return this.#stoppedAt !== undefined && this.#options.now() - this.#stoppedAt < STOPPED_MS;
  }

  #isExpecting(): boolean {
    return this.#options.now() < this.#expectedUntil;
  }

  /** What is to be done next: nothing else before the controller has been told all that the one before it knew. */
  async #next(number: number, hasDone: boolean): Promise<Exchange[]> {
    if (this.turn()?.isWhole !== true) return this.#nextOfRebuild(number);
    const hold = this.#isExpecting() ? HOLD_MS.expecting : hasDone ? HOLD_MS.done : 0;
    if (this.#queue.isEmpty && hold > 0)
      await Promise.race([this.#queue.whenWork(), this.#options.sleep(hold)]);
    // It may have been moved meanwhile.
    return this.turn()?.number === number ? this.#queue.take(MOST) : [];
  }

  #nextOfRebuild(number: number): Exchange[] {
    if (this.#rebuild?.number !== number) {
      const calls = rebuilding(this.#options.networkId, this.#documents());
      const left = calls.map(
        (call, at) => [`r${number}-${at}`, { ...call, id: `r${number}-${at}` }] as const,
      );
      this.#rebuild = { number, left: new Map(left) };
    }
    return [...this.#rebuild.left.values()].slice(0, MOST);
  }

  /** What a new controller is to be told: who was taken out here meanwhile is out there too, from the beginning. */
  #documents(): Mirrored {
    const { stores } = this.#options;
    const told = [...stores.controllerDocuments.all()].flatMap(([name, document]): [string, string][] => {
      const lease = stores.nodes.get(name);
      if (lease === undefined) return stores.slots.isRemovalDue(name) ? [] : [[name, document]];
      return [[name, lease.state === "active" ? document : shutOut(document)]];
    });
    return new Map(told);
  }

  #take(number: number, done: Done): void {
    const { stores, log } = this.#options;
    const rebuild = this.#rebuild;
    const told = rebuild?.left.get(done.id);
    if (rebuild !== undefined && told !== undefined && rebuild.number === number) {
      if (done.status < 200 || done.status > 299) {
        log("controller-not-rebuilt", { path: told.path, status: done.status });
        return;
      }
      rebuild.left.delete(done.id);
      if (rebuild.left.size > 0) return;
      this.#rebuild = undefined;
      const turn = this.turn();
      if (turn?.number !== number) return;
      stores.transaction(() => stores.memory.setControllerTurn({ ...turn, isWhole: true }));
      log("controller-rebuilt", { turn: number, node: turn.node });
      return;
    }
    const exchange = this.#queue.answer(done);
    const news = exchange && newsOf(exchange, done);
    if (news !== undefined) stores.transaction(() => stores.controllerDocuments.take(news));
  }
}
