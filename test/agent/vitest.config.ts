import { defineConfig } from "vitest/config";
import { textFiles } from "../../scripts/text-modules.ts";

// The agent's whole runs: hundreds of processes each, too slow for `npm test`.
export default defineConfig({
  plugins: [textFiles],
  test: {
    name: "agent",
    root: import.meta.dirname,
    include: ["*.run.test.ts"],
  },
});
