// The operator's command line: `npx meshboot --help`.
import { run } from "./cli/run.ts";

await run();
