import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { nodeSchema } from "../../../worker/schema/lease.ts";
import { demandServer, serverPath } from "../call/server.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import type { Session } from "../session.ts";

/** `tag`: what a server is found by. */
export function tagCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("tag")
    .summary("set a server's tags")
    .description("Sets a server's tags: those that you name, and no others.")
    .argument("<server>", "its name")
    .argument("[tags...]", "all that it is to have")
    .option("--none", "take all of them away")
    .addOption(outputOption())
    .action(async (name, tags, { none = false, output }) => {
      if (none === tags.length > 0)
        throw new Failure(
          "which tags is not clear. Name all that the server is to have, or give --none",
          EXIT.usage,
        );
      const worker = session.worker();
      const server = await demandServer(worker, name);
      const { value, document } = await worker.ask("PATCH", serverPath(server), nodeSchema, {
        body: { tags },
      });
      if (output === "json") printJson(session, document);
      else session.terminal.print(`${name}: ${value.tags.join(", ") || "no tags"}`);
    });
  withExamples(command, "meshboot tag demo1 web eu", "meshboot tag demo1 --none");
}
