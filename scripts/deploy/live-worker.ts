import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { FORMER } from "../../worker/lease/deed.ts";
import { type AdminTokenView, adminTokensSchema } from "../../worker/schema/admin-token.ts";
import { healthSchema, type WorkerHealth } from "../../worker/schema/health.ts";
import { reasonOf } from "./refused.ts";

/** ms that a new name on workers.dev may take until it answers, and between two tries. */
const COMES_UP_MS = 120_000;
const AGAIN_MS = 2_000;
const TIMEOUT_MS = 30_000;
const problem = z.object({ detail: z.string() });
const openapi = z.object({ info: z.object({ version: z.string() }) });

/** What a call of the Worker gave: what was wanted, or why not. */
export type Told<T> = { readonly ok: T } | { readonly refused: string };

/** The Worker under an address, as its operator calls it. */
export class LiveWorker {
  readonly #url: string;
  readonly #adminToken: string | undefined;

  constructor(url: string, adminToken: string | undefined) {
    this.#url = url;
    this.#adminToken = adminToken;
  }

  /** What `/healthz` says; with the admin token, with how many nodes there are. Asked again while no Worker answers, or one to which its secrets have not come yet. */
  async health(patience = COMES_UP_MS): Promise<Told<WorkerHealth>> {
    for (const until = Date.now() + patience; ; await sleep(AGAIN_MS)) {
      const told = await this.#health();
      const isUp = "ok" in told && told.ok.status !== "misconfigured";
      if (isUp || Date.now() >= until) return told;
    }
  }

  /**
   * The ADMIN_TOKEN before the present one, as the Worker lists it; undefined: there is none. Asked again while it does not take the
   * admin token, for so many ms.
   */
  async formerToken(patience = COMES_UP_MS): Promise<Told<AdminTokenView | undefined>> {
    for (const until = Date.now() + patience; ; await sleep(AGAIN_MS)) {
      const told = await this.#text("/v1/tokens?limit=200");
      if ("ok" in told) {
        const { items } = adminTokensSchema.parse(jsonOf(told.ok));
        return { ok: items.find(({ id }) => id === FORMER) };
      }
      if (Date.now() >= until) return told;
    }
  }

  /** Ends the ADMIN_TOKEN before the present one. */
  async endFormerToken(): Promise<Told<string>> {
    return this.#text(`/v1/tokens/${FORMER}/revoke`, { method: "POST" });
  }

  /** The release that answers, as `/openapi.json` names it. */
  async release(): Promise<string | undefined> {
    const answer = await this.#call("/openapi.json");
    if ("refused" in answer || !answer.ok.ok) return undefined;
    return openapi.safeParse(await answer.ok.json()).data?.info.version;
  }

  /** The backup of `GET /v1/export`. */
  async backup(): Promise<Told<string>> {
    return this.#text("/v1/export");
  }

  /** User-data for a server of that name. It holds a key. */
  async userData(name: string): Promise<Told<string>> {
    return this.#text("/v1/user-data", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/plain" },
      body: JSON.stringify({ name }),
    });
  }

  async #health(): Promise<Told<WorkerHealth>> {
    const answer = await this.#call("/healthz");
    if ("refused" in answer) return answer;
    const text = await answer.ok.text();
    const read = healthSchema.safeParse(jsonOf(text));
    if (read.success) return { ok: read.data };
    return { refused: `${this.#url}/healthz answers ${answer.ok.status}, and not as Meshboot does` };
  }

  async #text(path: string, init: RequestInit = {}): Promise<Told<string>> {
    const answer = await this.#call(path, init);
    if ("refused" in answer) return answer;
    const text = await answer.ok.text();
    if (answer.ok.ok) return { ok: text };
    return {
      refused: `${path}: ${problem.safeParse(jsonOf(text)).data?.detail ?? `status ${answer.ok.status}`}`,
    };
  }

  async #call(path: string, init: RequestInit = {}): Promise<Told<Response>> {
    const authorization = this.#adminToken && { authorization: `Bearer ${this.#adminToken}` };
    try {
      return {
        ok: await fetch(`${this.#url}${path}`, {
          ...init,
          headers: { ...init.headers, ...authorization },
          redirect: "error",
          signal: AbortSignal.timeout(TIMEOUT_MS),
        }),
      };
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? `: ${reasonOf(error.cause)}` : "";
      return { refused: `${this.#url}${path} does not answer (${reasonOf(error)}${cause})` };
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
