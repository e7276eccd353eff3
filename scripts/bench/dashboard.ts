import { z } from "zod";
import { compareCpu } from "./compare-cpu.ts";
import { type FreshWorker, onFreshWorker } from "./fresh-worker.ts";
import { answersPerSecond } from "./load.ts";

const FEW = 50;
const MANY = 5000;
/** A pool with slots for all of them, and the same for both: what differs is how many are leased. */
const SETTINGS = { ZEROTIER_RANGE: "10.144.0.0/19", DOCKER_POOL: "172.16.0.0/12", NODE_PREFIX: "25" };
/** Does not slow down whoever makes thousands of leases. */
const CENTRAL_LIMIT = 100_000;
const CONCURRENCY = 20;
/** The warm-up is for the JavaScript engine, which compiles what is asked for often. */
const COMPARISON = { warmUp: 150, calls: 40 } as const;

const madeSchema = z.object({ session: z.string() });

/** What {@link measureDashboard} finds: CPU time of a page with 5,000 servers ÷ with 50; null: not measured. */
export interface DashboardFigures {
  readonly dashboard_list_5000_vs_50: number | null;
  readonly dashboard_pool_5000_vs_50: number | null;
}

/** Leases 50 servers at one Worker and 5,000 at another, and has both make the same pages in turn. */
export function measureDashboard(): Promise<DashboardFigures> {
  return withServers(FEW, (few) =>
    withServers(MANY, async (many) => {
      const compare = (path: string): Promise<number | null> =>
        compareCpu(
          () => many(path),
          () => few(path),
          COMPARISON,
        );
      return {
        dashboard_list_5000_vs_50: await compare("/"),
        dashboard_pool_5000_vs_50: await compare("/pool"),
      };
    }),
  );
}

/** Asks for a page of the dashboard as somebody who is signed in. */
type Ask = (path: string) => Promise<Response>;

function withServers<T>(count: number, measure: (ask: Ask) => Promise<T>): Promise<T> {
  return onFreshWorker(
    CENTRAL_LIMIT,
    async (worker) => {
      await answersPerSecond(leases(worker, count), CONCURRENCY);
      return measure(await signIn(worker));
    },
    SETTINGS,
  );
}

/** As an operator leases for servers without an agent: no proof of identity has to be made for each. */
function leases({ call }: FreshWorker, count: number): Request[] {
  const first = 0x1000000000;
  return Array.from({ length: count }, (_, at) =>
    call(`/v1/nodes/${(first + at).toString(16)}`, { name: `web${at}` }, "PUT"),
  );
}

async function signIn({ url, call }: FreshWorker): Promise<Ask> {
  const { session } = madeSchema.parse(await (await fetch(call("/v1/sessions", {}))).json());
  return (path) => fetch(`${url}${path}`, { headers: { cookie: `__Host-meshboot=${session}` } });
}
