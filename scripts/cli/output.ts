import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Session } from "./session.ts";
import { jsonText } from "./terminal/printable.ts";

/** `-o`: a table for people, or the API's own document. */
export function outputOption() {
  return new Option("-o, --output <form>", "table: for people; json: the API's answer, to the letter")
    .choices(["table", "json"] as const)
    .default("table" as const);
}

/** Prints the API's document. */
export function printJson({ terminal }: Session, document: unknown): void {
  terminal.print(jsonText(document, 2));
}

/** Adds examples to a command's help; each of them is run by the tests. */
export function withExamples(command: CommandUnknownOpts, ...examples: readonly string[]): void {
  const lines = examples.map((example) => `  $ ${example}`);
  command.addHelpText("after", `\nExample${examples.length > 1 ? "s" : ""}:\n${lines.join("\n")}`);
}

/** `--yes` and `--dry-run`, for what takes something away. */
export const YES = ["-y, --yes", "do it without a question"] as const;
export const DRY_RUN = ["-n, --dry-run", "only say what it would do"] as const;
