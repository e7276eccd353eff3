import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { DEED_ACTIONS } from "../../../worker/lease/deed.ts";
import { type EventView, eventsSchema } from "../../../worker/schema/events.ts";
import { changes } from "../call/changes.ts";
import { allPages } from "../call/pages.ts";
import { untilAnswered } from "../call/until-answered.ts";
import type { Worker } from "../call/worker.ts";
import { parseCount } from "../count.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import type { Session } from "../session.ts";
import { jsonText, oneLine } from "../terminal/printable.ts";

const SHOWN = 20;

/** `events`: who did what. */
export function eventsCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("events")
    .summary("show who did what, and go on as it happens")
    .description("Shows the audit log, the newest last.")
    .option("-f, --follow", "go on as more happens; with -o json an event a line")
    .option("--server <name>", "those of that name, also as the one before")
    .option("--key <id>", "those of that enrolment key")
    .addOption(new Option("--action <action>", "those of that action").choices(DEED_ACTIONS))
    .option("--limit <count>", "how many of those that there are", parseCount, SHOWN)
    .addOption(outputOption())
    .action(async ({ follow, server, limit, output, ...chosen }) => {
      const worker = session.worker();
      const query = { ...chosen, name: server };
      const look = () => allPages(worker, "/v1/events", eventsSchema, query, { most: limit });
      const patiently = (news: typeof look) =>
        untilAnswered(news, worker.signal, (reason) =>
          session.terminal.note(`No answer, it is tried on: ${reason}.`),
        );
      const first = await (follow ? patiently(look) : look());
      if (!follow && output === "json") return printJson(session, first.document);
      const print = ({ items, document }: Awaited<typeof first>): void => {
        for (const [at, event] of [...items.entries()].reverse())
          session.terminal.print(output === "json" ? jsonText(document.items[at]) : lineOf(session, event));
      };
      print(first);
      if (!follow && first.items.length === 0) session.terminal.note("None.");
      if (!follow) return;
      let last = first.items[0]?.id ?? 0;
      for await (const _ of changes(session, worker, ["events"])) {
        const news = await patiently(() => eventsSince(worker, query, last));
        print(news);
        last = news.items[0]?.id ?? last;
      }
    });
  withExamples(
    command,
    "meshboot events",
    "meshboot events --server demo1 --action enrolled",
    "meshboot events --limit 100 -o json",
    "timeout 2 meshboot events -f",
  );
}

/** How many that came since are looked for at the most. */
const MOST_NEWS = 10_000;

/** The events with a larger id, the newest first. Few, as a rule: more are asked for only when the last one is not among them. */
async function eventsSince(
  worker: Worker,
  query: Readonly<Record<string, string | undefined>>,
  last: number,
) {
  for (let most = SHOWN; ; most *= 10) {
    const { items, document } = await allPages(worker, "/v1/events", eventsSchema, query, { most });
    const found = items.findIndex(({ id }) => id <= last);
    const count = found < 0 ? items.length : found;
    if (found >= 0 || document.next === null)
      return {
        items: items.slice(0, count),
        document: { ...document, items: document.items.slice(0, count) },
      };
    if (most >= MOST_NEWS)
      throw new Failure(`more than ${MOST_NEWS} events since the last look: begin anew`, EXIT.failed);
  }
}

function lineOf({ terminal }: Session, event: EventView): string {
  const { at, by, action, name, node, slot, state, key, token, webhook, was, why } = event;
  const about = [
    name ?? node,
    slot === null ? null : `slot ${slot}`,
    state,
    was === null ? null : `was ${was}`,
    key === null ? null : `key ${key}`,
    token === null ? null : `token ${token}`,
    webhook === null ? null : `webhook ${webhook}`,
    why,
    `by ${by.who}${by.id === undefined ? "" : ` ${by.id}`}`,
  ].filter((part) => part !== null);
  const time = at.replace("T", " ").replace(/\.\d+Z$/, "Z");
  return `${terminal.paint("dim", time)}  ${terminal.paint("bold", oneLine(action))}  ${oneLine(about.join(", "))}`;
}
