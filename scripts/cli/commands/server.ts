import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { nodeSchema } from "../../../worker/schema/lease.ts";
import { addedBy } from "../call/added-by.ts";
import { demandServer, serverPath } from "../call/server.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import { stateOf, trouble, withoutPrefix } from "../server-text.ts";
import type { Session } from "../session.ts";
import { ago } from "../terminal/duration.ts";
import { printable } from "../terminal/printable.ts";
import { printFields } from "../terminal/table.ts";

/** `server NAME`: all that is known of one. */
export function serverCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("server")
    .summary("show one server: addresses, versions, who added it, what its agent said last")
    .description(
      "Shows one server, with who added it, what its agent said last and, of a failure, the end of its log.",
    )
    .argument("<server>", "its name")
    .addOption(outputOption())
    .action(async (name, { output }) => {
      const { terminal } = session;
      const worker = session.worker();
      const found = await demandServer(worker, name);
      const { value: server, document } = await worker.ask("GET", serverPath(found), nodeSchema);
      if (output === "json") return printJson(session, document);
      const now = session.now();
      const added = await addedBy(worker, server);
      const { zerotier, docker, facts, report } = server;
      printFields(terminal, [
        ["name", server.name],
        ["state", stateOf(server)],
        ["wrong", trouble(server, now)],
        ["node", server.node],
        ["slot", String(server.slot)],
        ["mesh", `${withoutPrefix(zerotier.ipv4)}, ${withoutPrefix(zerotier.ipv6)}`],
        ["containers", `${docker.ipv4.subnet}, ${docker.ipv6.subnet}`],
        ["gateways", `${docker.ipv4.gateway}, ${docker.ipv6.gateway}`],
        ["public", server.address],
        ["tags", server.tags.join(", ")],
        [
          "added",
          added && `by ${added.by.who} ${added.by.id ?? ""}, ${ago(added.at, now)} (${added.action})`,
        ],
        ["enrolment key", server.key],
        ["leased", ago(server.leasedAt, now)],
        ["seen", ago(server.lastSeen, now)],
        [
          "last repair",
          server.lastRepair && `${server.lastRepair.steps.join(", ")}, ${ago(server.lastRepair.at, now)}`,
        ],
        ...Object.entries(facts ?? {}).map(([fact, said]) => [fact, String(said)] as const),
      ]);
      const log = report?.["log"];
      if (server.failed !== null && typeof log === "string") terminal.print(`\n${printable(log.trimEnd())}`);
    });
  withExamples(command, "meshboot server demo1", "meshboot server demo1 -o json");
}
