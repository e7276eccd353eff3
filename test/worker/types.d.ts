// What wrangler.jsonc and vitest.config.ts bind, for `cloudflare:workers`.
declare namespace Cloudflare {
  interface Env extends Required<import("../../worker/env.ts").Env> {
    readonly FUZZ_SEED: number;
    readonly FUZZ_RUNS: number;
  }
  interface GlobalProps {
    mainModule: typeof import("../../worker/main.ts");
  }
}

// The simulated Central, which runs in the tests' isolate, uses these two of Node; workerd has them.
declare module "node:crypto" {
  export function randomInt(below: number): number;
  export function randomInt(from: number, below: number): number;
  export function randomUUID(): string;
}
