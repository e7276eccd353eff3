import { makeApp } from "./app.ts";
import type { Env } from "./env.ts";

export { NetworkObject } from "./network/network-object.ts";

const app = makeApp();

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
} satisfies ExportedHandler<Env>;
