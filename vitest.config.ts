import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { textFiles } from "./scripts/text-modules.ts";

/** For what hangs, not for what is slow: the machine may have other things to do. */
const patience = { testTimeout: 300_000, hookTimeout: 300_000 };

export default defineConfig({
  test: {
    // vitest itself would keep a core for its own process, which has next to nothing to do here.
    maxWorkers: "100%",
    projects: [
      {
        plugins: [textFiles],
        test: {
          name: "unit",
          ...patience,
          // No test leaves anything behind in its modules; a process a file would cost half a minute in all.
          isolate: false,
          include: ["test/unit/**/*.test.ts", "test/agent/**/*.test.ts"],
          exclude: ["test/agent/*.run.test.ts"],
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.jsonc" },
            // What wrangler.jsonc leaves to the operator.
            miniflare: {
              // As many calls as a minute of tests makes.
              ratelimits: {
                CALLS: { namespace_id: "1001", simple: { limit: 1e6, period: 60 } },
                NODE_CALLS: { namespace_id: "1002", simple: { limit: 1e6, period: 60 } },
              },
              bindings: {
                ZEROTIER_NETWORK: "8056c2e21c000001",
                ZEROTIER_TOKEN: "central-token-of-the-tests-0123456789",
                ADMIN_TOKEN: "mba_operator-of-the-tests-0123",
                ACCESS_AUD: "a1".repeat(32),
                ACCESS_SCOPES: "ann@example.com=admin; *@example.com=read",
                // Each day others; a day's are the same on every machine.
                FUZZ_SEED: Number(
                  process.env["FUZZ_SEED"] ?? new Date().toISOString().slice(0, 10).replaceAll("-", ""),
                ),
                FUZZ_RUNS: Number(process.env["FUZZ_RUNS"] ?? 25),
              },
            },
          }),
        ],
        test: { name: "worker", ...patience, include: ["test/worker/**/*.test.ts"], isolate: false },
      },
    ],
  },
});
