import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CommanderError } from "@commander-js/extra-typings";
import { withoutSecrets } from "../../worker/base/redact.ts";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import { makeProgram } from "./program.ts";
import { processTerminal } from "./terminal/terminal.ts";

/** Runs the command line of this process, and ends that. */
export async function run(): Promise<void> {
  const terminal = processTerminal(process, process.env);
  const stop = new AbortController();
  process.on("SIGINT", () => {
    stop.abort();
    // What does not listen is not waited for.
    process.exitCode = EXIT.cancelled;
    setTimeout(() => process.exit(EXIT.cancelled), 200).unref();
  });
  // A reader that has seen enough, such as head, is no fault.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) =>
      process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.failed),
    );
  const program = makeProgram({ terminal, env: process.env, signal: stop.signal, now: Date.now });
  endByThrowing(program);
  try {
    await program.parseAsync();
  } catch (error) {
    terminal.progress("");
    if (stop.signal.aborted) {
      process.exitCode = EXIT.cancelled;
    } else if (error instanceof CommanderError) {
      // Commander has said it.
      process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    } else {
      // A path may hold a key, and what a library says of a header that it does not take holds that.
      terminal.note(`meshboot: ${withoutSecrets(reasonOf(error))}.`);
      process.exitCode = error instanceof Failure ? error.exitCode : EXIT.failed;
    }
  }
  // Connections that are kept open would keep the process.
  process.stdout.end(() => process.exit());
}

/** Has each command throw where it would end the process. */
function endByThrowing(command: CommandUnknownOpts): void {
  command.exitOverride();
  for (const each of command.commands) endByThrowing(each);
}

function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  // As Node says what a file is in the way of: "ENOENT: no such file or directory, open 'mesh.json'".
  const [, what, file] = /^E[A-Z]+: (.+), [a-z]+ '(.+)'$/.exec(reason) ?? [];
  return file === undefined ? reason.replace(/\.$/, "") : `${file}: ${what}`;
}
