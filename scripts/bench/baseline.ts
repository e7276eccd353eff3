import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { bundleWorker } from "../local/bundle-worker.ts";

/** The Worker of baseline-worker.ts, running in workerd. */
export interface Baseline {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it with its object's storage on disk in `directory`, as the real Worker's is. */
export async function startBaseline(directory: string): Promise<Baseline> {
  const script = await bundleWorker(fileURLToPath(new URL("./baseline-worker.ts", import.meta.url)));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "baseline",
      compatibilityDate: "2026-08-01",
      modules: [{ type: "ESModule", path: "main.mjs", contents: script }],
      durableObjects: { BASELINE: { className: "BaselineObject", useSQLite: true } },
      resourcePersistencePath: directory,
    }),
  );
  return { url: (await miniflare.ready).origin, close: () => miniflare.dispose() };
}
