import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { reachSchema } from "../../../worker/schema/reach.ts";
import { allPages } from "../call/pages.ts";
import { demandServer } from "../call/server.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import { LOOK_COLUMNS, looksOf } from "../reach-text.ts";
import type { Session } from "../session.ts";
import { printTable } from "../terminal/table.ts";

/** `reach`: who reaches whom. */
export function reachCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("reach")
    .summary("show which server reaches which, from containers' network to containers' network")
    .description(
      "Shows what servers found when they last probed each other, from an address of their containers' network to one of the other's: the round trip and the largest packet that arrives whole, by IPv4 and IPv6.",
    )
    .argument("[server]", "what that one found; all when left out")
    .option("--silent", "only who gets no answer, and from whom")
    .addOption(outputOption())
    .action(async (name, { silent = false, output }) => {
      const worker = session.worker();
      const query = {
        node: name === undefined ? undefined : (await demandServer(worker, name)).node,
        silent: silent ? "true" : undefined,
      };
      const { items, document } = await allPages(worker, "/v1/reach", reachSchema, query);
      if (output === "json") return printJson(session, document);
      const looks = looksOf(items);
      if (looks.length === 0)
        return session.terminal.note(silent ? "Whoever was probed answers." : "No server yet.");
      printTable(session.terminal, LOOK_COLUMNS(session.now()), looks);
    });
  withExamples(command, "meshboot reach", "meshboot reach demo1 -o json", "meshboot reach --silent");
}
