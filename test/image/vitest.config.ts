import { defineConfig } from "vitest/config";
import { textFiles } from "../../scripts/text-modules.ts";

// Images that are baked and boot: needs root, and packer beside what test/boot needs.
export default defineConfig({
  plugins: [textFiles],
  test: {
    name: "image",
    root: import.meta.dirname,
    include: ["*.test.ts"],
    fileParallelism: false,
    bail: 1,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    teardownTimeout: 60_000,
    reporters: ["verbose"],
  },
});
