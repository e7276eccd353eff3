/**
 * Adds up what the layers left in a folder, `<layer>.exit` and, where vitest counted tests, `<layer>.json`,
 * and prints the one plain line `N passed, N failed, N skipped`. Exit code 1 when anything failed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
};

function isReport(value: unknown): value is Report {
  const counted = ["numPassedTests", "numFailedTests", "numPendingTests", "numTodoTests"];
  return typeof value === "object" && value !== null && counted.every((name) => name in value);
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
  const report: unknown = existsSync(reportPath) ? JSON.parse(readFileSync(reportPath, "utf8")) : undefined;
  if (isReport(report)) {
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
  if (!exitedWell) console.log(`failed: ${layer}`);
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exit(sum.failed === 0 ? 0 : 1);
