import { test as base, expect } from "vitest";
import {
  type CentralOptions,
  type RunningCentral,
  startCentral,
} from "../../../scripts/simulated-central/server.ts";
import { faultsOfAnswer } from "./openapi.ts";

export const NETWORK = "8056c2e21c000001";
export const NODE = "4e8d87c868";
export const TOKEN = "token-of-the-owner";
export const OTHER_TOKEN = "token-of-another-account";

/** An answer; `body` is parsed when it is JSON, and the text otherwise. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies whose shape the OpenAPI document checks.
  readonly body: any;
}

/** What a test gets: a simulated Central of its own, and ways to call it. */
export interface Sim {
  readonly central: RunningCentral;
  /** A call of the API with the owner's token; an answer that the OpenAPI document does not allow fails the test. */
  api(method: string, path: string, body?: unknown): Promise<Answer>;
  /** A call of anything, checked by nobody. */
  call(method: string, url: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** A node asks for its configuration. */
  ask(node: string, identity?: string): Promise<Answer>;
}

/** A public identity of the right form for the node. */
export function identityOf(node: string, fill = "ab"): string {
  return `${node}:0:${fill.repeat(64)}`;
}

/** Starts a simulated Central and the ways to call it. */
export async function startSim(options: Partial<CentralOptions> = {}): Promise<Sim> {
  const central = await startCentral({
    networks: [NETWORK],
    token: TOKEN,
    otherToken: OTHER_TOKEN,
    limit: 10_000,
    ...options,
  });
  const call: Sim["call"] = async (method, url, body, headers = {}) => {
    const response = await fetch(url, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  return {
    central,
    call,
    async api(method, path, body) {
      const answer = await call(method, `${central.url}${path}`, body, { authorization: `token ${TOKEN}` });
      expect(faultsOfAnswer(method, path, answer.status, answer.body)).toEqual([]);
      return answer;
    },
    ask: (node, identity = identityOf(node)) =>
      call("POST", `${central.origin}/double/network/${NETWORK}/node/${node}`, { identity }),
  };
}

/** A test with a sim of its own. */
export const test = base.extend<{ sim: Sim }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures that are needed from this pattern.
  sim: async ({}, use) => {
    const sim = await startSim();
    await use(sim);
    await sim.central.close();
  },
});
