/** `npm run test:faults`: the named races, and so many random schedules. What it does not know itself is vitest's. */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

const USAGE = `npm run test:faults -- [--runs N] [--seed S] [--path P] [options and filters of vitest]
  --runs N   random schedules (default: 500)
  --seed S   where they begin (default: the day, as 20270104)
  --path P   with the seed of a failure: that one schedule again, as fast-check names it`;

const OPTIONS = {
  runs: "MESHBOOT_FAULTS_RUNS",
  seed: "MESHBOOT_FAULTS_SEED",
  path: "MESHBOOT_FAULTS_PATH",
} as const;

const args = process.argv.slice(2);
const { tokens } = parseArgs({
  args,
  strict: false,
  tokens: true,
  options: {
    runs: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
    help: { type: "boolean" },
  },
});
const env: Record<string, string> = {};
const own = new Set<number>();
for (const token of tokens) {
  if (token.kind !== "option") continue;
  if (token.name === "help") {
    console.log(USAGE);
    process.exit(0);
  }
  const [, variable] = Object.entries(OPTIONS).find(([name]) => name === token.name) ?? [];
  if (variable === undefined) continue;
  const isNumber = /^\d{1,9}$/.test(token.value ?? "");
  if (token.name === "path" ? !/^[\d:]+$/.test(token.value ?? "") : !isNumber) {
    console.error(`--${token.name} ${token.value ?? ""}: not as in\n${USAGE}`);
    process.exit(2);
  }
  env[variable] = token.value ?? "";
  own.add(token.index);
  if (token.inlineValue === false) own.add(token.index + 1);
}
const vitest = spawn(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "test/faults/vitest.config.ts",
    ...args.filter((_, index) => !own.has(index)),
  ],
  { stdio: "inherit", env: { ...process.env, ...env } },
);
vitest.on("exit", (code) => process.exit(code ?? 1));
