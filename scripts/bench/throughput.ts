import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { GeneratedIdentity } from "../identity/generate.ts";
import { startBaseline } from "./baseline.ts";
import { enrolments } from "./enrolments.ts";
import { type FreshWorker, onFreshWorker } from "./fresh-worker.ts";
import { answersPerSecond, median } from "./load.ts";

const CONCURRENCY = 20;
const BASELINE_CALLS = 1000;
const ROUNDS = 3;
/** ZeroTier's free plan, and its paid one. */
const FREE_LIMIT = 20;
const PAID_LIMIT = 100;
const ROUTES_DEADLINE_MS = 60_000;

/** What {@link measureThroughput} finds; the two ratios are enrolments a second by calls a second. */
export interface Throughput {
  readonly lease_vs_object_write: number;
  readonly lease_vs_bare_route: number;
  readonly central_calls_per_lease_100: number;
}

/**
 * Enrols all identities on fresh Workers, in turn with the two baselines, so that drift of the machine's speed hits
 * all three alike; and counts the calls that reach Central when they enrol at once under the free plan's limit.
 */
export async function measureThroughput(identities: readonly GeneratedIdentity[]): Promise<Throughput> {
  const writes: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const rates = await onFreshWorker(PAID_LIMIT, async ({ url, key }) => ({
      leases: await answersPerSecond(enrolments(url, key, identities), CONCURRENCY),
      ...(await baselineRates()),
    }));
    writes.push(rates.leases / rates.write);
    bare.push(rates.leases / rates.bare);
  }
  return {
    lease_vs_object_write: median(writes),
    lease_vs_bare_route: median(bare),
    central_calls_per_lease_100: await onFreshWorker(FREE_LIMIT, (bench) => callsPerLease(bench, identities)),
  };
}

async function callsPerLease(bench: FreshWorker, identities: readonly GeneratedIdentity[]): Promise<number> {
  await answersPerSecond(enrolments(bench.url, bench.key, identities), identities.length);
  // The routes follow behind the answers; they have to be counted too.
  const deadline = Date.now() + ROUTES_DEADLINE_MS;
  while (bench.routesAtCentral() < 2) {
    if (Date.now() > deadline) throw new Error("the managed routes never reached Central");
    await sleep(200);
  }
  return bench.callsAtCentral() / identities.length;
}

async function baselineRates(): Promise<{ write: number; bare: number }> {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-baseline-"));
  const baseline = await startBaseline(directory);
  const calls = (path: string): Request[] =>
    Array.from({ length: BASELINE_CALLS }, () => new Request(`${baseline.url}${path}`, { method: "POST" }));
  try {
    await answersPerSecond(calls("/write").slice(0, CONCURRENCY), CONCURRENCY);
    return {
      write: await answersPerSecond(calls("/write"), CONCURRENCY),
      bare: await answersPerSecond(calls("/bare"), CONCURRENCY),
    };
  } finally {
    await baseline.close();
    rmSync(directory, { recursive: true });
  }
}
