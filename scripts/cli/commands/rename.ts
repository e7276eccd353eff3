import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { nodeSchema } from "../../../worker/schema/lease.ts";
import { demandServer, serverPath } from "../call/server.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import type { Session } from "../session.ts";

/** `rename`: another name, the same slot. */
export function renameCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("rename")
    .summary("give a server another name")
    .description(
      "Gives a server another name. Slot and addresses stay; whoever resolves the old name does not find it any more.",
    )
    .argument("<server>", "its name")
    .argument("<new-name>", "one DNS label")
    .addOption(outputOption())
    .action(async (name, newName, { output }) => {
      const worker = session.worker();
      const server = await demandServer(worker, name);
      const { document } = await worker.ask("PATCH", serverPath(server), nodeSchema, {
        body: { name: newName },
      });
      if (output === "json") printJson(session, document);
      else session.terminal.print(`${name} is ${newName} now.`);
    });
  withExamples(command, "meshboot rename demo1 web1");
}
