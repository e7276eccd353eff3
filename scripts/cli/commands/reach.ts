import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type ReachPair, reachSchema } from "../../../worker/schema/reach.ts";
import { allPages } from "../call/pages.ts";
import { demandServer } from "../call/server.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import type { Session } from "../session.ts";
import { ago } from "../terminal/duration.ts";
import { printTable } from "../terminal/table.ts";

/** One server's look at another one. */
interface Look {
  readonly from: string;
  readonly at: string | null;
  /** Null: of a server that does not probe. */
  readonly pair: ReachPair | null;
  readonly fault: string | null;
}

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
      const looks = items.flatMap(({ name: from, at, fault, pairs }): Look[] =>
        pairs.length === 0
          ? [{ from, at, fault, pair: null }]
          : pairs.map((pair) => ({ from, at, fault, pair })),
      );
      if (looks.length === 0)
        return session.terminal.note(silent ? "Whoever was probed answers." : "No server yet.");
      printTable<Look>(
        session.terminal,
        [
          { title: "FROM", cell: ({ from }) => from },
          { title: "TO", cell: ({ pair, fault }) => pair?.name ?? fault ?? "nobody yet" },
          {
            title: "IPV4",
            cell: ({ pair }) => familyText(pair?.ipv4),
            style: ({ pair }) => (pair?.ipv4?.answers === false ? "red" : undefined),
          },
          {
            title: "IPV6",
            cell: ({ pair }) => familyText(pair?.ipv6),
            style: ({ pair }) => (pair?.ipv6?.answers === false ? "red" : undefined),
          },
          { title: "PATH", cell: ({ pair }) => pair?.path ?? "", dispensable: 2 },
          { title: "SEEN", cell: ({ at }) => (at === null ? "" : ago(at, session.now())), dispensable: 1 },
        ],
        looks,
      );
    });
  withExamples(command, "meshboot reach", "meshboot reach demo1 -o json", "meshboot reach --silent");
}

function familyText(family: ReachPair["ipv4"] | undefined): string {
  if (family === null || family === undefined) return "";
  const { answers, rttMs, loss, mtu } = family;
  if (!answers) return "no answer";
  return [
    rttMs === null ? "answers" : `${rttMs} ms`,
    ...(loss > 0 ? [`${loss} % lost`] : []),
    mtu === null ? "full packets are lost" : `${mtu} bytes`,
  ].join(", ");
}
