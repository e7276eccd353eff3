import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalWorker } from "../local/local-worker.ts";
import { startCentral } from "../simulated-central/server.ts";

const NETWORK = "8056c2e21c000001";
const ADMIN_TOKEN = "mba_benchmarkbenchmarkbench";

/** A Worker with empty storage, and how it is seen from outside and from Central. */
export interface FreshWorker {
  readonly url: string;
  /** A call with the admin token, by POST unless said otherwise. */
  readonly call: (path: string, body: unknown, method?: string) => Request;
  /** An enrolment key for any number of servers. */
  readonly key: string;
  readonly callsAtCentral: () => number;
  readonly routesAtCentral: () => number;
}

/**
 * Runs the measurement against a Worker with empty storage on disk and a Central of its own, which takes `limit` calls a second.
 * `settings`: of the Worker's, beside the defaults.
 */
export async function onFreshWorker<T>(
  limit: number,
  measure: (worker: FreshWorker) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-bench-"));
  const central = await startCentral({ token: "benchmark-token", networks: [NETWORK], limit });
  const worker = await startLocalWorker({
    directory,
    network: NETWORK,
    centralUrl: central.url,
    centralToken: "benchmark-token",
    adminToken: ADMIN_TOKEN,
    callsPerMinute: 1_000_000,
    settings,
    log: () => {},
  });
  const call = (path: string, body: unknown, method = "POST"): Request =>
    new Request(`${worker.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  try {
    const made: unknown = await (await fetch(call("/v1/keys", { maxUses: 1000 }))).json();
    if (typeof made !== "object" || made === null || !("key" in made) || typeof made.key !== "string") {
      throw new Error(`POST /v1/keys made no key: ${JSON.stringify(made)}`);
    }
    return await measure({
      url: worker.url,
      call,
      key: made.key,
      callsAtCentral: () => central.snapshot().calls.total,
      routesAtCentral: () => central.snapshot().networks[0]?.config.routes.length ?? 0,
    });
  } finally {
    await worker.close();
    await central.close();
    rmSync(directory, { recursive: true });
  }
}
