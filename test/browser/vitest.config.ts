import { defineConfig } from "vitest/config";
import { textFiles } from "../../scripts/text-modules.ts";

export default defineConfig({
  plugins: [textFiles],
  test: {
    name: "browser",
    root: import.meta.dirname,
    include: ["*.test.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ["verbose"],
  },
});
