import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { SHOWN_STATES } from "../../../worker/lease/lease-times.ts";
import { nodesSchema } from "../../../worker/schema/lease.ts";
import { NODE_SORTS } from "../../../worker/schema/node-query.ts";
import { allPages } from "../call/pages.ts";
import { askSilences } from "../call/silences.ts";
import { parseCount } from "../count.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import { SERVER_COLUMNS } from "../server-text.ts";
import type { Session } from "../session.ts";
import { printTable } from "../terminal/table.ts";

/** `servers`: which there are, and what is wrong. */
export function serversCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("servers")
    .summary("list servers, and what is wrong with each")
    .description("Lists servers: all of them, unless you choose.")
    .addOption(new Option("--state <state>", "those in that state").choices(SHOWN_STATES))
    .option("--name <pattern>", "those of that name; one * stands for any characters")
    .option("--tag <tag>", "those with that tag")
    .option("--key <id>", "those that the enrolment key let in last")
    .addOption(
      new Option("--sort <order>", "- in front turns it round").choices(NODE_SORTS).default("name" as const),
    )
    .option("--limit <count>", "at most so many", parseCount)
    .addOption(outputOption())
    .action(async ({ limit, output, ...query }) => {
      const { terminal } = session;
      const { items, document } = await allPages(session.worker(), "/v1/nodes", nodesSchema, query, {
        ...(limit !== undefined && { most: limit }),
        atPage: (count) => terminal.progress(`${count} servers…`),
      });
      terminal.progress("");
      if (output === "json") return printJson(session, document);
      if (items.length === 0) {
        const isAll = Object.keys(query).length === 1;
        terminal.note(isAll ? "No server yet. meshboot add web1 makes its user-data." : "No such server.");
        return;
      }
      printTable(terminal, SERVER_COLUMNS(await askSilences(session.worker()), session.now()), items);
      if (document.next !== null)
        terminal.note(`These are ${items.length}; there are more: leave --limit out.`);
    });
  withExamples(
    command,
    "meshboot servers",
    "meshboot servers --state failed",
    "meshboot servers --name 'demo*' --sort lastSeen",
    "meshboot servers -o json >servers.json",
  );
}
