import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { z } from "zod";
import { nodeDetailSchema } from "../../../worker/schema/lease.ts";
import { type ReachOfServer, reachSchema } from "../../../worker/schema/reach.ts";
import { shownAs } from "../../../worker/schema/server-words.ts";
import { addedBy } from "../call/added-by.ts";
import { demandServer, type Server, serverPath } from "../call/server.ts";
import { askSilences } from "../call/silences.ts";
import { Refused, type Worker } from "../call/worker.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import { LOOK_COLUMNS, looksOf } from "../reach-text.ts";
import { troubleText, withoutPrefix } from "../server-text.ts";
import type { Session } from "../session.ts";
import { ago } from "../terminal/duration.ts";
import { oneLine, printable } from "../terminal/printable.ts";
import { printFields, printTable } from "../terminal/table.ts";

const LEVELS = { note: "dim", warning: "yellow", fault: "red" } as const;

/** `server NAME`: all that is known of one. */
export function serverCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("server")
    .summary("show one server: addresses, versions, who added it, what is wrong and whom it reaches")
    .description(
      "Shows one server, with who added it, what its doctor found and what to do, whom it reaches and, of a failure, the end of its log.",
    )
    .argument("<server>", "its name")
    .addOption(outputOption())
    .action(async (name, { output }) => {
      const { terminal } = session;
      const worker = session.worker();
      const found = await demandServer(worker, name);
      const { value: server, document } = await worker.ask("GET", serverPath(found), nodeDetailSchema);
      if (output === "json") return printJson(session, document);
      const now = session.now();
      const added = await addedBy(worker, server);
      const silences = await askSilences(worker, server.node);
      const looks = looksOf(await reachOf(worker, server));
      const { zerotier, docker, facts, report } = server;
      printFields(terminal, [
        ["name", server.name],
        ["state", shownAs(server)],
        ["wrong", troubleText(server, silences, now)],
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
        ["behind", server.behind === true ? "meshboot upgrade there takes this Worker's agent" : null],
        ...Object.entries(facts ?? {})
          .filter(([fact]) => fact !== "agentSha256")
          .map(([fact, said]) => [fact, String(said)] as const),
      ]);
      printFindings(session, server);
      if (looks.length > 0) {
        terminal.print("");
        printTable(terminal, LOOK_COLUMNS(now), looks);
      }
      const log = report?.["log"];
      if (server.failed !== null && typeof log === "string")
        terminal.print(`\nThe end of its log:\n${printable(log.trimEnd())}`);
    });
  withExamples(command, "meshboot server demo1", "meshboot server demo1 -o json");
}

/** What its doctor found when it last reported, a finding each with what to do on the server. */
function printFindings(session: Session, { findings }: z.output<typeof nodeDetailSchema>): void {
  if (findings === null) return;
  const { terminal } = session;
  const seen = ago(findings.at, session.now());
  const isHealthy = findings.items.length === 0;
  terminal.print(isHealthy ? `\nIts doctor found nothing wrong, ${seen}.` : `\nIts doctor found, ${seen}:`);
  for (const { level, link, saw, expected, remedy } of findings.items) {
    const wanted = expected === "" ? "" : `, and not ${expected}`;
    terminal.print(
      `${terminal.paint(LEVELS[level], level)} at ${link}${saw === "" ? "" : `: ${oneLine(`${saw}${wanted}`)}`}`,
    );
    if (remedy !== "") terminal.print(`  there, as root: ${oneLine(remedy)}`);
  }
}

/** What the server found of others; nothing where the token is not for that. */
async function reachOf(worker: Worker, { node }: Server): Promise<readonly ReachOfServer[]> {
  try {
    return (await worker.ask("GET", `/v1/reach?node=${node}`, reachSchema)).value.items;
  } catch (error) {
    if (error instanceof Refused && error.status === 403) return [];
    throw error;
  }
}
