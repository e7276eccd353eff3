import { STAGE_NAMES } from "../../../worker/lease/first-boot.ts";
import { type FirstBootView, firstBootsSchema } from "../../../worker/schema/first-boot.ts";
import type { Session } from "../session.ts";
import { durationText } from "../terminal/duration.ts";
import { oneLine, printable } from "../terminal/printable.ts";
import type { Worker } from "./worker.ts";

/** So many servers that come with one key are followed. */
const FOLLOWED = 20;
/** So many of the newest are looked through for those that are not of one key: a page. */
const LOOKED_THROUGH = 200;

/** Whose first boots are meant: those with a key, or the newest under a host name. */
export type Whose = { readonly key: string } | { readonly name: string };

/** First boots, told to the person who waits as they go on. */
export class FirstBoots {
  readonly #session: Session;
  readonly #worker: Worker;
  readonly #whose: Whose;
  /** What was told, so that it is told once. */
  readonly #told = new Set<string>();
  #stuck: string | undefined;

  constructor(session: Session, worker: Worker, whose: Whose) {
    this.#session = session;
    this.#worker = worker;
    this.#whose = whose;
  }

  /** Where one stands still, when nobody has come to the end; undefined: none does. */
  get stuck(): string | undefined {
    return this.#stuck;
  }

  /** Asks, and tells what is new: each stage with its time, and of a failure the step and the last lines of the log. */
  async tell(): Promise<void> {
    const boots = await this.#ask();
    for (const boot of boots.toReversed()) this.#tellOne(boot);
    const failed = boots.find(({ state }) => state === "failed");
    const isThere = boots.some(({ state }) => state === "done");
    this.#stuck = failed === undefined || isThere ? undefined : `${nameOf(failed)} ${standsStill(failed)}`;
  }

  async #ask(): Promise<readonly FirstBootView[]> {
    if ("key" in this.#whose) {
      const query = new URLSearchParams({ key: this.#whose.key, limit: String(FOLLOWED) });
      return (await this.#worker.ask("GET", `/v1/first-boots?${query}`, firstBootsSchema)).value.items;
    }
    const { name } = this.#whose;
    const [newest] = (await newestFirstBoots(this.#worker)).filter((boot) => boot.name === name);
    // One that is over, maybe long ago, says nothing of the server that is waited for.
    return newest === undefined || newest.state === "done" ? [] : [newest];
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

/** The newest of all first boots, those of a page. */
export async function newestFirstBoots(worker: Worker): Promise<readonly FirstBootView[]> {
  return (await worker.ask("GET", `/v1/first-boots?limit=${LOOKED_THROUGH}`, firstBootsSchema)).value.items;
}

/** What a server is called that is in its first boot. */
export function nameOf({ name, address, machineId }: FirstBootView): string {
  return oneLine(name ?? address ?? `machine ${machineId.slice(0, 8)}`);
}

/** How one that failed is told of, behind its name. */
export function standsStill({ step }: FirstBootView): string {
  return `stands still${step === null ? "" : ` at the step ${oneLine(step)}`}`;
}
