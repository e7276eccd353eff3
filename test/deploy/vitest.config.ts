import { defineConfig } from "vitest/config";
import { textFiles } from "../../scripts/text-modules.ts";

export default defineConfig({
  plugins: [textFiles],
  test: {
    name: "deploy",
    root: import.meta.dirname,
    include: ["*.test.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // The tests of a story build on each other.
    bail: 1,
    reporters: ["verbose"],
  },
});
