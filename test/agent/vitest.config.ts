import { defineConfig } from "vitest/config";

// The agent's whole runs: hundreds of processes each, too slow for `npm test`.
export default defineConfig({
  test: {
    name: "agent",
    root: import.meta.dirname,
    include: ["*.run.test.ts"],
  },
});
