import { defineConfig } from "vitest/config";

// The network object in plain Node on a clock of the test's own: thousands of schedules a minute.
export default defineConfig({
  resolve: {
    alias: { "cloudflare:workers": new URL("durable-object.ts", import.meta.url).pathname },
  },
  test: {
    name: "faults",
    root: import.meta.dirname,
    include: ["*.test.ts"],
    // A machine under load is no fault: only what hangs is.
    testTimeout: 900_000,
  },
});
