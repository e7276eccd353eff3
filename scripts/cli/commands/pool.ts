import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { z } from "zod";
import { poolSchema } from "../../../worker/schema/pool.ts";
import { type SlotRangeView, slotsSchema } from "../../../worker/schema/slots.ts";
import type { Worker } from "../call/worker.ts";
import { outputOption, printJson, withExamples } from "../output.ts";
import { printPool } from "../pool-picture.ts";
import type { Session } from "../session.ts";

/** `pool`: what each slot is, as a picture. */
export function poolCommand(program: CommandUnknownOpts, session: Session): void {
  const command = program
    .command("pool")
    .summary("draw the pool, a character a slot")
    .description("Draws the pool, a character a slot, and says what is in the way.")
    .option("--slots", "with -o json: the slots, in place of the pool's use")
    .addOption(outputOption())
    .action(async ({ slots, output }) => {
      const worker = session.worker();
      if (output === "json") {
        const { document } = slots ? await allSlots(worker) : await worker.ask("GET", "/v1/pool", poolSchema);
        return printJson(session, document);
      }
      const [use, { ranges }] = await Promise.all([
        worker.ask("GET", "/v1/pool", poolSchema),
        allSlots(worker),
      ]);
      printPool(session.terminal, use.value, ranges);
    });
  withExamples(command, "meshboot pool", "meshboot pool -o json", "meshboot pool --slots -o json");
}

const rawSlots = z.object({ items: z.array(z.unknown()) });

async function allSlots(worker: Worker) {
  const ranges: SlotRangeView[] = [];
  const items: unknown[] = [];
  let from: number | null = 1;
  while (from !== null) {
    const path: string = `/v1/pool/slots?from=${from}`;
    const { value, document } = await worker.ask("GET", path, slotsSchema);
    ranges.push(...value.items);
    items.push(...rawSlots.parse(document).items);
    from = value.next;
  }
  return { ranges, document: { items, next: null } };
}
