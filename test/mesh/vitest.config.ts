import { defineConfig } from "vitest/config";
import { textFiles } from "../../scripts/text-modules.ts";

// Meshes of booted servers: one after another, as two labs at once would only slow each other down.
export default defineConfig({
  plugins: [textFiles],
  test: {
    name: "mesh",
    root: import.meta.dirname,
    include: ["*.test.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
    reporters: ["verbose"],
  },
});
