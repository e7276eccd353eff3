import { makeApp } from "./app.ts";
import { consoleLog, errorText } from "./base/log.ts";
import { parseConfig } from "./config/config.ts";
import type { Env } from "./env.ts";

export { NetworkObject } from "./network/network-object.ts";

const app = makeApp();

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  async scheduled(_event, env) {
    const read = parseConfig(env);
    if (!read.ok) return consoleLog("misconfigured", { faults: read.error.join("; ") });
    try {
      await env.NETWORK.getByName(read.value.networkId).reconcile();
    } catch (error) {
      consoleLog("reconcile-failed", { error: errorText(error) });
    }
  },
} satisfies ExportedHandler<Env>;
