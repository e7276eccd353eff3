import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { textFiles } from "./scripts/text-modules.ts";

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [textFiles],
        test: {
          name: "unit",
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
              bindings: {
                ZEROTIER_NETWORK: "8056c2e21c000001",
                ZEROTIER_TOKEN: "central-token-of-the-tests-0123456789",
                ADMIN_TOKEN: "mba_operator-of-the-tests-0123",
              },
            },
          }),
        ],
        test: { name: "worker", include: ["test/worker/**/*.test.ts"], isolate: false },
      },
    ],
  },
});
