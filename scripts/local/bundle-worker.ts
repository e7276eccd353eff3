import { build } from "esbuild";

/** The Worker as one module, as wrangler would bundle it. Throws when it does not build. */
export async function bundleWorker(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    // The rules of wrangler.jsonc: the agent's files and what the dashboard's pages load are text.
    loader: {
      ...{ ".sh": "text", ".service": "text", ".timer": "text" },
      ...{ ".css": "text", ".client.js": "text", ".min.js": "text" },
    },
    sourcemap: "inline",
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`bundling ${entry} gave no file`);
  return file.text;
}
