import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type RefusalView, refusalsSchema } from "../../../worker/schema/refusals.ts";
import { allPages } from "../call/pages.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import type { Session } from "../session.ts";
import { ago } from "../terminal/duration.ts";
import { printTable } from "../terminal/table.ts";

/** `refusals`: why a server does not come in. */
export function refusalsCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("refusals")
    .summary("list enrolments that were refused, and why")
    .description(
      "Lists enrolments that were refused, the latest first. /problems/NAME at the Worker has the remedy of each.",
    )
    .addOption(outputOption())
    .action(async ({ output }) => {
      const { items, document } = await allPages(session.worker(), "/v1/refusals", refusalsSchema, {});
      if (output === "json") return printJson(session, document);
      if (items.length === 0) return session.terminal.note("None.");
      printTable<RefusalView>(
        session.terminal,
        [
          { title: "NAME", cell: ({ name }) => name },
          {
            title: "PROBLEM",
            cell: ({ problem }) => problem.split("/").at(-1) ?? problem,
            style: () => "red",
          },
          { title: "ABOUT", cell: ({ about }) => about ?? "" },
          { title: "FROM", cell: ({ address }) => address ?? "", dispensable: 3 },
          { title: "NODE", cell: ({ node }) => node, dispensable: 2 },
          { title: "KEY", cell: ({ key }) => key ?? "", dispensable: 4 },
          { title: "LAST", cell: ({ lastAt }) => ago(lastAt, session.now()), dispensable: 1 },
        ],
        items,
      );
    });
  withExamples(command, "meshboot refusals");
}
