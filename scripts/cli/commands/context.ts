import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { contextsFile, readContexts, writeContexts } from "../deployment/contexts.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../output.ts";
import type { Session } from "../session.ts";
import { printTable } from "../terminal/table.ts";

/** `context`: the deployments that are known here, and which one is meant when none is named. */
export function contextCommand(program: CommandUnknownOpts, session: Session): void {
  const file = (): string => contextsFile(session.env);
  const command = program
    .command("context")
    .summary("list deployments, choose one, forget one")
    .description(
      "Deployments that you have signed in to. --context or MESHBOOT_CONTEXT names one for a single command; MESHBOOT_URL and MESHBOOT_TOKEN, both set, go before.",
    );
  const list = command
    .command("list", { isDefault: true })
    .description("list them; * is the one that is meant when none is named")
    .action(() => {
      const { current, contexts } = readContexts(file());
      const known = Object.entries(contexts).map(([name, { url }]) => ({ name, url }));
      if (known.length === 0) session.terminal.note("None yet. Sign in: meshboot login");
      else
        printTable(
          session.terminal,
          [
            { title: " ", cell: ({ name }) => (name === current ? "*" : "") },
            { title: "CONTEXT", cell: ({ name }) => name },
            { title: "WORKER", cell: ({ url }) => url },
          ],
          known,
        );
    });
  const use = command
    .command("use")
    .description("mean that one when none is named")
    .argument("<context>", "its name")
    .action((name) => {
      const { contexts } = readContexts(file());
      demand(contexts, name);
      writeContexts(file(), { current: name, contexts });
    });
  const forget = command
    .command("delete")
    .description("forget one, and its token; the token itself stays good until it is revoked")
    .argument("<context>", "its name")
    .action((name) => {
      const { current, contexts } = readContexts(file());
      demand(contexts, name);
      const { [name]: _, ...rest } = contexts;
      writeContexts(file(), { current: current === name ? null : current, contexts: rest });
    });
  withExamples(list, "meshboot context");
  withExamples(use, "meshboot context use local");
  withExamples(forget, "meshboot context delete old");
  withExamples(command, "meshboot context", "meshboot context use local");
}

function demand(contexts: object, name: string): void {
  if (!Object.hasOwn(contexts, name))
    throw new Failure(
      `there is no context ${name}. Those that there are: ${Object.keys(contexts).join(", ") || "none"}`,
      EXIT.usage,
    );
}
