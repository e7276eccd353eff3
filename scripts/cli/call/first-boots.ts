import { STAGE_NAMES } from "../../../worker/lease/first-boot.ts";
import { type FirstBootView, firstBootsSchema } from "../../../worker/schema/first-boot.ts";
import type { Session } from "../session.ts";
import { durationText } from "../terminal/duration.ts";
import { oneLine, printable } from "../terminal/printable.ts";

/** So many servers that come with one key are followed. */
const FOLLOWED = 20;

/** The first boots with a key, told to the person who waits as they go on. */
export class FirstBoots {
  readonly #session: Session;
  readonly #key: string;
  /** What was told, so that it is told once. */
  readonly #told = new Set<string>();
  #stuck: string | undefined;

  constructor(session: Session, key: string) {
    this.#session = session;
    this.#key = key;
  }

  /** Where one stands still, when nobody has come to the end; undefined: none does. */
  get stuck(): string | undefined {
    return this.#stuck;
  }

  /** Asks, and tells what is new: each stage with its time, and of a failure the step and the last lines of the log. */
  async tell(): Promise<void> {
    const query = new URLSearchParams({ key: this.#key, limit: String(FOLLOWED) });
    const { value } = await this.#session.worker().ask("GET", `/v1/first-boots?${query}`, firstBootsSchema);
    for (const boot of value.items.toReversed()) this.#tellOne(boot);
    const failed = value.items.find(({ state }) => state === "failed");
    const isThere = value.items.some(({ state }) => state === "done");
    this.#stuck = failed === undefined || isThere ? undefined : `${nameOf(failed)} ${standsStill(failed)}`;
  }

  #tellOne(boot: FirstBootView): void {
    const { machineId, stages, state, step, log, lastAt } = boot;
    const madeAt = Date.parse(stages[0]?.at ?? lastAt);
    for (const { stage, at } of stages)
      if (at !== null && stage !== "made")
        this.#once(
          `${machineId} ${stage} ${at}`,
          at,
          `${nameOf(boot)}: ${STAGE_NAMES[stage]}, after ${durationText((Date.parse(at) - madeAt) / 1000)}`,
        );
    if (state !== "failed") return;
    const lines = (log ?? "").trimEnd().split("\n");
    const said = [
      `${nameOf(boot)} ${standsStill(boot)}, and tries again by itself.`,
      ...(log === null || log === "" ? [] : lines.map((line) => `  ${printable(line)}`)),
    ];
    this.#once(`${machineId} failed ${step} ${log}`, lastAt, said.join("\n"));
  }

  #once(what: string, at: string, text: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#session.terminal.note(`${at.slice(11, 19)}Z  ${text}`);
  }
}

function nameOf({ name, address, machineId }: FirstBootView): string {
  return oneLine(name ?? address ?? `machine ${machineId.slice(0, 8)}`);
}

function standsStill({ step }: FirstBootView): string {
  return `stands still${step === null ? "" : ` at the step ${oneLine(step)}`}`;
}
