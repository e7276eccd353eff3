import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { nodeSchema, nodesSchema } from "../../../worker/schema/lease.ts";
import { fact } from "../../../worker/schema/server-words.ts";
import { allPages } from "../call/pages.ts";
import { demandServer, serverPath } from "../call/server.ts";
import { DRY_RUN, outputOption, printJson, withExamples, YES } from "../output.ts";
import { withoutPrefix } from "../server-text.ts";
import type { Session } from "../session.ts";
import { agree } from "../terminal/agree.ts";
import { ago } from "../terminal/duration.ts";
import { printTable } from "../terminal/table.ts";

/** `approvals`, `approve`, `revoke`: who is in. */
export function approvalCommands(program: CommandUnknownOpts, session: Session): void {
  const approvals = program
    .command("approvals")
    .summary("list servers that wait for approval")
    .description("Lists servers that wait for approval, with where they called from.")
    .addOption(outputOption())
    .action(async ({ output }) => {
      const worker = session.worker();
      const { items, document } = await allPages(worker, "/v1/nodes", nodesSchema, { state: "pending" });
      if (output === "json") return printJson(session, document);
      if (items.length === 0) return session.terminal.note("None waits.");
      printTable(
        session.terminal,
        [
          { title: "NAME", cell: ({ name }) => name },
          { title: "NODE", cell: ({ node }) => node },
          { title: "FROM", cell: ({ address }) => address ?? "" },
          { title: "PROVIDER", cell: (server) => fact(server, "provider"), dispensable: 2 },
          { title: "KEY", cell: ({ key }) => key ?? "", dispensable: 1 },
          { title: "ASKED", cell: ({ lastSeen }) => ago(lastSeen, session.now()) },
        ],
        items,
      );
    });
  withExamples(approvals, "meshboot approvals");

  const approve = program
    .command("approve")
    .summary("let a server in that waits, or that was taken out")
    .description("Lets a server in that waits for approval, or in again after `revoke`.")
    .argument("<server>", "its name")
    .option("--node <id>", "only if the name is still that node's: its 10 hex digits")
    .addOption(outputOption())
    .action(async (name, { node, output }) => {
      const worker = session.worker();
      const server = await demandServer(worker, name, node);
      const { document } = await worker.ask("POST", serverPath(server, "/approve"), nodeSchema);
      if (output === "json") printJson(session, document);
      else session.terminal.print(`${name} is ${server.state === "active" ? "in already" : "let in"}.`);
    });
  withExamples(approve, "meshboot approve demo2");

  const revoke = program
    .command("revoke")
    .summary("take a server out of the mesh; its addresses stay its own")
    .description(
      "Takes a server out of the mesh at once, until `approve` lets it in again. Its name and slot stay its own.",
    )
    .argument("<server>", "its name")
    .option("--node <id>", "only if the name is still that node's: its 10 hex digits")
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (name, { node, output, ...given }) => {
      const worker = session.worker();
      const server = await demandServer(worker, name, node);
      const { zerotier, docker } = server;
      session.terminal.note(
        `${name}: node ${server.node}, ${server.state}, seen ${ago(server.lastSeen, session.now())}.\n  breaks: nobody in the mesh reaches ${withoutPrefix(zerotier.ipv4)} and ${docker.ipv4.subnet}\n  stays: its name and slot`,
      );
      if (!(await agree(session, `Revoke ${name}?`, given))) return;
      const { document } = await worker.ask("POST", serverPath(server, "/revoke"), nodeSchema);
      if (output === "json") printJson(session, document);
      else session.terminal.print(`${name} is out. meshboot approve ${name} lets it in again.`);
    });
  withExamples(revoke, "meshboot revoke demo1 --dry-run", "meshboot revoke demo1 --yes");
}
