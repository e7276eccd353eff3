import { defineConfig } from "vitest/config";
import { textFiles } from "../../scripts/text-modules.ts";

// Servers that boot: one after another, since two labs at once would only slow each other down.
export default defineConfig({
  plugins: [textFiles],
  test: {
    name: "boot",
    root: import.meta.dirname,
    include: ["*.test.ts"],
    fileParallelism: false,
    bail: 1,
    testTimeout: 180_000,
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
    reporters: ["verbose"],
  },
});
