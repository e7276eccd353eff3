import { answerApi } from "../../scripts/simulated-central/api.ts";
import { type Fault, type Faults, makeFaults } from "../../scripts/simulated-central/faults.ts";
import { type CentralState, createNetwork, type Network } from "../../scripts/simulated-central/state.ts";

/** A call that arrived, in order. */
export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The simulated Central without a socket: the Worker's real client talks to it through the global `fetch`. */
export class SimulatedCentral {
  readonly state: CentralState = { networks: new Map() };
  readonly faults: Faults = makeFaults();
  readonly calls: SeenCall[] = [];
  #held: RegExp | undefined;
  #heldAnswers: RegExp | undefined;
  /** What the list of members says in place of what it should. */
  listing: (entries: readonly unknown[]) => readonly unknown[] = (entries) => entries;
  readonly #base: string;
  readonly #token: string;

  constructor(base: string, token: string, network: string) {
    this.#base = base;
    this.#token = token;
    createNetwork(this.state, network, "operator", Date.now());
  }

  /** The one network. */
  get network(): Network {
    const [network] = this.state.networks.values();
    if (network === undefined) throw new Error("the simulated Central has no network");
    return network;
  }

  /** Orders a fault for calls of that method whose path holds the text. */
  fail(method: string, path: string, fault: Omit<Fault, "match" | "times"> & { times?: number }): void {
    this.faults.order({ times: 1, ...fault, match: { method, path } });
  }

  /**
   * Leaves calls whose path matches without an answer until `free` is called. It is looked at again and again, since
   * workerd lets no request resolve another one's promise.
   */
  hold(path: RegExp): { seen(): Promise<void>; free(): void } {
    this.#held = path;
    return this.#untilFree(path, () => {
      this.#held = undefined;
    });
  }

  /** The same for answers: what the call asks for is done or read at once, and the caller told when `free` is called. */
  holdAnswer(path: RegExp): { seen(): Promise<void>; free(): void } {
    this.#heldAnswers = path;
    return this.#untilFree(path, () => {
      this.#heldAnswers = undefined;
    });
  }

  #untilFree(path: RegExp, free: () => void): { seen(): Promise<void>; free(): void } {
    const before = this.calls.length;
    return {
      seen: async () => {
        while (!this.calls.slice(before).some((call) => path.test(call.path))) await tick();
      },
      free,
    };
  }

  /** How many calls of that kind arrived. */
  count(method: string, path: RegExp): number {
    return this.calls.filter((call) => call.method === method && path.test(call.path)).length;
  }

  /** Answers in place of the platform's `fetch`; anything but Central is refused. */
  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    if (!request.url.startsWith(this.#base))
      throw new Error(`a call to ${request.url}, which is not Central`);
    const path = request.url.slice(this.#base.length);
    const text = await request.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    this.calls.push({ method: request.method, path, body });
    while (this.#held?.test(path) === true) await tick();
    const fault = this.faults.take(request.method, path);
    if (fault?.kind === "status")
      return Response.json({ message: "ordered" }, { status: fault.status ?? 500 });
    if (fault?.kind === "text") return new Response("<html>", { status: fault.status ?? 200 });
    if (fault?.kind === "timeout") throw new TypeError("connection refused");
    const user = request.headers.get("authorization") === `token ${this.#token}` ? "operator" : undefined;
    const answer = answerApi(this.state, { method: request.method, path, user, body }, Date.now());
    while (this.#heldAnswers?.test(path) === true) await tick();
    if (fault?.kind === "lost") throw new TypeError("connection lost");
    if (Array.isArray(answer.body) && path.endsWith("/member"))
      return Response.json(this.listing(answer.body), { status: answer.status });
    return answer.body === undefined
      ? new Response(null, { status: answer.status })
      : Response.json(answer.body, { status: answer.status });
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}
