import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type ReservationView,
  reservationEndSchema,
  reservationSchema,
  reservationsSchema,
} from "../../../worker/schema/reservation.ts";
import { allPages } from "../call/pages.ts";
import { parseCount } from "../count.ts";
import { DRY_RUN, outputOption, printJson, withExamples, YES } from "../output.ts";
import { withoutPrefix } from "../server-text.ts";
import type { Session } from "../session.ts";
import { agree } from "../terminal/agree.ts";
import { printTable } from "../terminal/table.ts";

const COLUMNS = [
  { title: "NAME", cell: ({ name }: ReservationView) => name },
  { title: "SLOT", cell: ({ slot }: ReservationView) => String(slot) },
  { title: "MESH", cell: ({ zerotier }: ReservationView) => withoutPrefix(zerotier.ipv4) },
  { title: "CONTAINERS", cell: ({ docker }: ReservationView) => docker.ipv4.subnet },
  { title: "NODE", cell: ({ node }: ReservationView) => node ?? "none yet" },
];

/** `reserve`, `reservations`: names that keep their slots. */
export function reservationCommands(program: CommandUnknownOpts, session: Session): void {
  const reserve = program
    .command("reserve")
    .summary("reserve a name and its addresses, before the server is ordered")
    .description(
      "Reserves a name: it keeps its slot, and so its IPv4 addresses, whichever server has it. `add NAME --reserved` makes user-data for it.",
    )
    .argument("<name>", "one DNS label; a server's name keeps that server's slot")
    .option("--slot <slot>", "this one; a free one when left out", parseCount)
    .addOption(outputOption())
    .action(async (name, { slot, output }) => {
      const body = { name, slot };
      const { value, document } = await session
        .worker()
        .ask("POST", "/v1/reservations", reservationSchema, { body });
      if (output === "json") printJson(session, document);
      else printTable(session.terminal, COLUMNS, [value]);
    });
  withExamples(reserve, "meshboot reserve db1", "meshboot reserve db2 --slot 77");

  const reservations = program
    .command("reservations")
    .summary("list reserved names, give one up")
    .description("Names that keep their slots.");
  const list = reservations
    .command("list", { isDefault: true })
    .description("list them")
    .addOption(outputOption())
    .action(async ({ output }) => {
      const { items, document } = await allPages(
        session.worker(),
        "/v1/reservations",
        reservationsSchema,
        {},
      );
      if (output === "json") return printJson(session, document);
      if (items.length === 0) session.terminal.note("None. meshboot reserve db1 makes one.");
      else printTable(session.terminal, COLUMNS, items);
    });
  withExamples(list, "meshboot reservations");
  const remove = reservations
    .command("delete")
    .description("give one up, with the keys that were made for it; a server that has the name stays")
    .argument("<name>", "the reserved name")
    .option(...YES)
    .option(...DRY_RUN)
    .addOption(outputOption())
    .action(async (name, { output, ...given }) => {
      const worker = session.worker();
      const path = `/v1/reservations/${encodeURIComponent(name)}`;
      const preview = await worker.ask("DELETE", `${path}?dryRun=true`, reservationEndSchema);
      if (given.dryRun && output === "json") return printJson(session, preview.document);
      const { slot, node, keys } = preview.value;
      session.terminal.note(
        `${name}: slot ${slot}, ${node === null ? "which another server may get then" : `which stays node ${node}'s as long as that has its lease`}.`,
      );
      for (const key of keys)
        session.terminal.note(`  taken back with it: key ${key}, which lets nobody in then`);
      if (!(await agree(session, `Give up the reservation of ${name}?`, given))) return;
      await worker.call("DELETE", path);
      if (output !== "json") session.terminal.print(`${name} is not reserved any more.`);
    });
  withExamples(
    remove,
    "meshboot reservations delete db1 --dry-run",
    "meshboot reservations delete db1 --yes",
  );
  withExamples(reservations, "meshboot reservations");
}
