import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { nodesSchema } from "../../../worker/schema/lease.ts";
import { type Candidates, candidates } from "../completion/candidates.ts";
import { SCRIPTS } from "../completion/scripts.ts";
import { contextsFile, readContexts } from "../deployment/contexts.ts";
import { withExamples } from "../output.ts";
import type { Session } from "../session.ts";

/** ms that somebody who has pressed Tab is to wait. */
const PATIENCE_MS = 2000;

/** `completion SHELL`, and what the shells ask. */
export function completionCommands(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("completion")
    .summary("print what makes a shell complete commands, options and names of servers")
    .description(
      "Prints what makes a shell complete this command line: commands, options and names of servers.",
    )
    .addArgument(new Argument("<shell>", "which").choices(["bash", "zsh", "fish"] as const))
    .action((shell) => session.terminal.write(SCRIPTS[shell]));
  withExamples(command, "meshboot completion bash >meshboot.bash", "meshboot completion fish");

  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words) => {
      const found = candidates(program, words);
      const typed = words.at(-1) ?? "";
      for (const [word, what] of await wordsOf(session, found, typed))
        if (word.startsWith(typed)) session.terminal.print(what === "" ? word : `${word}\t${what}`);
      if (found.kind === "files") session.terminal.print(":files");
    });
}

async function wordsOf(
  session: Session,
  found: Candidates,
  typed: string,
): Promise<readonly (readonly [string, string])[]> {
  switch (found.kind) {
    case "words":
      return found.words;
    case "files":
      return [];
    case "contexts":
      return Object.entries(readContexts(contextsFile(session.env)).contexts).map(([name, { url }]) => [
        name,
        url,
      ]);
    case "servers": {
      if (!/^[a-z0-9-]{0,63}$/.test(typed)) return [];
      const asked = new URLSearchParams({ name: `${typed}*`, limit: "200" });
      const { value } = await session
        .worker()
        .ask("GET", `/v1/nodes?${asked}`, nodesSchema, { patience: PATIENCE_MS });
      return value.items.map(({ name, state }) => [name, state]);
    }
  }
}
