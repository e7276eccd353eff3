import { confirm } from "@clack/prompts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";

/** What was said about a question before it is asked. */
export interface Agreement {
  readonly yes?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/**
 * Whether it is to be done: not with `--dry-run`, at once with `--yes`, otherwise as somebody at the terminal says.
 * Throws where nobody is there to ask, and when the answer is no.
 */
export async function agree(session: Session, question: string, given: Agreement): Promise<boolean> {
  if (given.dryRun) {
    session.terminal.note("Dry run: nothing was done.");
    return false;
  }
  if (given.yes) return true;
  if (!session.terminal.isInteractive)
    throw new Failure(
      `${question} There is no terminal to ask on, and nothing was done. Give --yes to do it, or --dry-run to see what it means`,
      EXIT.usage,
    );
  const answer = await confirm({
    message: question,
    initialValue: false,
    output: process.stderr,
    signal: session.signal,
  });
  if (answer !== true) throw new Failure("cancelled, nothing was done", EXIT.cancelled);
  return true;
}
