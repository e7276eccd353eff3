import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { originHere } from "../origin.ts";
import { readWranglerConfig } from "./bindings.ts";
import { bundleWorker } from "./bundle-worker.ts";

/** How the Worker is started on this machine. */
export interface LocalWorkerOptions {
  /** 127.0.0.1 when left out. */
  readonly host?: string;
  /** 0 or left out: any free port. */
  readonly port?: number;
  /** Where leases are kept across restarts; in memory when left out. */
  readonly directory?: string;
  readonly network: string;
  readonly centralUrl: string;
  readonly centralToken: string;
  readonly adminToken: string;
  /** Settings besides, such as ZEROTIER_RANGE; those of wrangler.jsonc otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whom Cloudflare Access lets in, by which application: whoever calls, in each call. Nobody when left out. */
  readonly access?: { readonly aud: string; readonly identity: { readonly email: string } };
  /** Calls a minute that one address may make without the admin token; wrangler.jsonc's otherwise. */
  readonly callsPerMinute?: number;
  /** Leaves SIGINT and SIGTERM to the caller, who then has to close; otherwise they end the process at once. */
  readonly callerHandlesSignals?: boolean;
  /** Takes the Worker's log, line by line; the standard error output otherwise. */
  readonly log?: (line: string) => void;
}

/** The Worker, running in workerd. */
export interface LocalWorker {
  /** Where this machine calls it: `http://127.0.0.1:8787`, without a slash at its end. */
  readonly url: string;
  /** Runs the cron trigger once. */
  runCron(): Promise<void>;
  /** Stops workerd; what is on disk stays. */
  close(): Promise<void>;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const DEFAULT_HOST = "127.0.0.1";
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Bundles the Worker and starts it in workerd with the bindings of wrangler.jsonc. Rejects when it cannot listen. */
export async function startLocalWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  const script = await bundleWorker(`${ROOT}worker/main.ts`);
  // One source for the bindings: what is deployed is what runs here.
  const config = readWranglerConfig(`${ROOT}wrangler.jsonc`);
  const write = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const { host = DEFAULT_HOST, port: wanted = 0 } = options;
  // On other addresses Miniflare does not tell which one it was given for 0, but a second one, of its own.
  const port = wanted === 0 && host !== DEFAULT_HOST ? await freePort(host) : wanted;
  const handlers = SIGNALS.map((signal) => new Set(process.listeners(signal)));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: config.name,
      compatibilityDate: config.compatibility_date,
      compatibilityFlags: config.compatibility_flags,
      modules: [{ type: "ESModule", path: "main.mjs", contents: script }],
      durableObjects: Object.fromEntries(
        config.durable_objects.bindings.map(({ name, class_name }) => [
          name,
          { className: class_name, useSQLite: true },
        ]),
      ),
      kvNamespaces: config.kv_namespaces.map(({ binding }) => binding),
      ratelimits: Object.fromEntries(
        config.ratelimits.map(({ name, namespace_id, simple }) => [
          name,
          { namespace_id, simple: { ...simple, limit: options.callsPerMinute ?? simple.limit } },
        ]),
      ),
      bindings: {
        ...config.vars,
        ...options.settings,
        ZEROTIER_NETWORK: options.network,
        ZEROTIER_URL: options.centralUrl,
        ZEROTIER_TOKEN: options.centralToken,
        ADMIN_TOKEN: options.adminToken,
      },
      ...(options.access && { access: options.access }),
      host,
      port,
      ...(options.directory !== undefined && { resourcePersistencePath: options.directory }),
      handleStructuredLogs: ({ message }) => write(message),
    }),
  );
  if (options.callerHandlesSignals === true) {
    // Miniflare exits with 128 + the signal's number, before anything else can be closed.
    for (const [at, signal] of SIGNALS.entries())
      for (const listener of process.listeners(signal))
        if (!handlers[at]?.has(listener)) process.off(signal, listener);
  }
  const ready = await miniflare.ready;
  return {
    url: port === 0 ? ready.origin : originHere(host, port),
    async runCron() {
      const worker = await miniflare.getWorker();
      const [cron] = config.triggers.crons;
      await worker.scheduled(cron === undefined ? {} : { cron });
    },
    close: () => miniflare.dispose(),
  };
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
