import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type BacklogView,
  type ControllerView,
  controllerSchema,
} from "../../../worker/schema/controller.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import type { Session } from "../session.ts";
import { ago } from "../terminal/duration.ts";
import { oneLine } from "../terminal/printable.ts";
import { printFields } from "../terminal/table.ts";

/** `controller`: which one holds the network, and how it stands. */
export function controllerCommand(program: CommandUnknownOpts, session: Session): void {
  const controller = program
    .command("controller")
    .summary("show which controller holds the network, and how it stands")
    .description("The ZeroTier controller of the mesh.");
  const show = controller
    .command("show", { isDefault: true })
    .description("show its kind, where it is, what of its limits is used, and what it is still to be told")
    .addOption(outputOption())
    .action(async ({ output }) => {
      const { value, document } = await session.worker().ask("GET", "/v1/controller", controllerSchema);
      if (output === "json") return printJson(session, document);
      printFields(session.terminal, fieldsOf(value, session.now()));
    });
  withExamples(show, "meshboot controller", "meshboot controller show -o json");
  withExamples(controller, "meshboot controller");
}

function fieldsOf(view: ControllerView, now: number): [string, string | null][] {
  const { kind, url, network, checkedAt, unreachable, calls, routes, outbox } = view;
  return [
    ["kind", kind],
    ["where", url ?? hostOf(view, now)],
    ["network", network],
    ["looked at", checkedAt === null ? "not yet" : ago(checkedAt, now)],
    ["not read", unreachable && `${ago(unreachable.at, now)}: ${oneLine(unreachable.fault)}`],
    [
      "calls",
      `${calls.lately} of ${calls.limit} a second${calls.waiting > 0 ? `, ${calls.waiting} wait` : ""}`,
    ],
    ["routes", `${routes.ours} of ${routes.limit}`],
    ["servers to tell", backlogText(outbox.member, now)],
    ["routes to tell", backlogText(outbox.routes, now)],
    ["copies to make", backlogText(outbox.copy, now)],
  ];
}

/** The server that hosts a controller of the mesh's own. */
function hostOf({ own }: ControllerView, now: number): string {
  if (own === null || own.turn === null) return "nowhere yet: the first server that comes in hosts it";
  const { name, node, number, askedAt } = own.turn;
  const asked = askedAt === null ? "has not asked yet" : `asked ${ago(askedAt, now)}`;
  return `on ${name ?? node}, turn ${number}, which ${asked}`;
}

function backlogText({ waiting, oldestAt, failing, fault }: BacklogView, now: number): string {
  if (waiting === 0 || oldestAt === null) return "nothing";
  const refused = failing === 0 ? "" : `; ${failing} not taken: ${oneLine(fault ?? "no reason is known")}`;
  return `${waiting}, the oldest from ${ago(oldestAt, now)}${refused}`;
}
