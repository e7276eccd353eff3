/**
 * Adds up what the layers left in a folder, `<layer>.exit` and, where vitest counted tests, `<layer>.json`; `<layer>.skipped`
 * is of one that did not run. Prints these, and each test that failed, with why, then the one plain line
 * `N passed, N failed, N skipped`.
 * Exit code 1 when anything failed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";

/** Lines of a failure's message that are shown: what was expected comes first, and the log of a layer has the rest. */
const SHOWN_LINES = 25;

const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

type Report = z.infer<typeof reportSchema>;

function show(file: string, name: string, why: string): void {
  const lines = why
    .split("\n")
    .filter((line) => !line.includes("/node_modules/"))
    .slice(0, SHOWN_LINES);
  console.log(`  ${basename(file)} > ${name}\n${lines.map((line) => `    ${line}`).join("\n")}`);
}

function showFailed({ testResults }: Report): void {
  for (const { name: file, status, message, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === "failed");
    for (const { fullName, failureMessages } of failed)
      show(file, fullName, (failureMessages ?? []).join("\n"));
    if (status === "failed" && failed.length === 0) show(file, "outside of its tests", message);
  }
}

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: node .ci/count.ts FOLDER");
  process.exit(2);
}

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(folder).filter((name) => name.endsWith(".exit"))) {
  const layer = file.slice(0, -".exit".length);
  const exitedWell = readFileSync(join(folder, file), "utf8").trim() === "0";
  const reportPath = join(folder, `${layer}.json`);
  const report = existsSync(reportPath)
    ? reportSchema.safeParse(JSON.parse(readFileSync(reportPath, "utf8"))).data
    : undefined;
  if (!exitedWell) console.log(`failed: ${layer}`);
  if (report !== undefined) {
    showFailed(report);
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests;
    sum.skipped += report.numPendingTests + report.numTodoTests;
    // A suite that fails outside of its tests (a set-up that throws, say) is a failure as well.
    if (!exitedWell && report.numFailedTests === 0) sum.failed += 1;
  } else if (exitedWell) {
    sum.passed += 1;
  } else {
    sum.failed += 1;
  }
}
for (const file of readdirSync(folder).filter((name) => name.endsWith(".skipped"))) {
  console.log(`NOT RUN: ${file.slice(0, -".skipped".length)}`);
  sum.skipped += 1;
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exit(sum.failed === 0 ? 0 : 1);
