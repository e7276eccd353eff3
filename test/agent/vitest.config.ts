import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { textFiles } from "../../scripts/text-modules.ts";

/** Files that take a minute and more, the longest first. */
const LONGEST = ["kill-steps", "upgrade", "kill-down", "kill-up"];

/** Begins with the longest, so that no core waits for them at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.run.test.ts`));
      return found === -1 ? LONGEST.length : found;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

// The agent's whole runs: hundreds of processes each, too slow for `npm test`.
export default defineConfig({
  plugins: [textFiles],
  test: {
    name: "agent",
    root: import.meta.dirname,
    include: ["*.run.test.ts"],
    // vitest itself would keep a core for its own process, which has next to nothing to do here.
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
  },
});
