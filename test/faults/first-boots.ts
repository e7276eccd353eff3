import { createHmac } from "node:crypto";
import { KEY_PREFIX_DIGITS } from "../../worker/base/boot-proof.ts";
import { LIMITS } from "../../worker/config/limits.ts";
import { BOOT_STAGES, type BootNews, type STAGES_BY_KEY } from "../../worker/lease/first-boot.ts";
import type { BootReport } from "../../worker/network/first-boots.ts";
import type { Ask } from "./ask.ts";
import type { Clock } from "./clock.ts";
import type { Judge } from "./judge.ts";
import type { Storage } from "./storage.ts";

/** The key that a server has. */
interface Key {
  readonly id: string;
  readonly hash: string;
}

/** What a server tells that it has come to, or that it stands still. */
export type BootStep = (typeof STAGES_BY_KEY)[number] | "failed";

/** A report that was sent, and with which key. */
interface Sent {
  readonly key: Key;
  readonly report: BootReport;
}

type Row = { key_id: string; machine_id: string; node: string | null; stages: string; at: number };

/** More machines than one key keeps the boots of are numbered from here on. */
const MANY = 1000;

/**
 * What servers tell of their first boots with an enrolment key, or with its proof. That makes no lease and lets nobody in, is written as
 * far as there is room, and is taken of no key that was taken back; a proof is good once.
 */
export class FirstBoots {
  readonly #clock: Clock;
  readonly #judge: Judge;
  readonly #storage: Storage;
  readonly #ask: Ask;
  /** The stage that was told last of each boot, by key and machine, while no call overlaps. */
  readonly #told = new Map<string, { readonly stage: string; readonly at: number }>();
  /** Reports that were taken by their proofs, and the latest clock of each boot. */
  #proven: readonly Sent[] = [];
  readonly #provenAt = new Map<string, number>();
  /** Keys of which boots may have been forgotten. */
  readonly #full = new Set<string>();
  #lostAt = -1;

  constructor(clock: Clock, judge: Judge, storage: Storage, ask: Ask) {
    this.#clock = clock;
    this.#judge = judge;
    this.#storage = storage;
    this.#ask = ask;
  }

  /** A server tells how far it has come; `isBack`: its key was taken back. `skew`: seconds by which its clock is ahead. */
  report(
    key: Key,
    machine: number,
    step: BootStep,
    {
      isBack,
      isProven,
      skew,
    }: { readonly isBack: boolean; readonly isProven: boolean; readonly skew: number },
  ): void {
    const clock = Math.floor(this.#clock.now / 1000) + skew;
    const log = `the log of server ${machine}`;
    const news: BootNews =
      step === "failed" ? { state: "failed", step: "zerotier", log } : { state: "running", stage: step, log };
    const body = JSON.stringify({ machine, clock, step });
    const report: BootReport = {
      sender: isProven ? { kind: "proof", proof: proofOf(key, body) } : { kind: "key", hash: key.hash },
      machineId: String(machine).padStart(64, "0"),
      name: `server-${machine}`,
      address: null,
      ...{ clock, news },
    };
    this.#send({ key, report }, isBack);
  }

  /** Many machines do, all with one key. */
  reportMany(key: Key, machines: number): void {
    for (let machine = MANY; machine < MANY + machines; machine++)
      this.report(key, machine, "fetched", { isBack: false, isProven: false, skew: 0 });
  }

  /** Somebody who listened in sends a proof again that was taken. */
  replay(): void {
    for (const sent of this.#proven) this.#send(sent, false);
  }

  #send({ key, report }: Sent, isBack: boolean): void {
    const begun = this.#clock.now;
    const boot = `${key.id} ${report.machineId}`;
    const { sender, clock, news } = report;
    // Within a second a failure comes behind what else is told.
    const place = 2 * clock + (news.state === "failed" ? 1 : 0);
    const isLate = sender.kind === "proof" && place <= (this.#provenAt.get(boot) ?? -1);
    this.#told.delete(boot);
    this.#noteFull();
    this.#ask(
      (object) => object.reportFirstBoot(report),
      () => {},
      (answer) => {
        this.#noteFull();
        if (!answer.ok || begun <= this.#lostAt) return;
        if (isBack) this.#judge.accuse(`a report with the key ${key.id} is taken, which was taken back`);
        if (isLate)
          this.#judge.accuse(`a proof of a first boot with the key ${key.id} is taken a second time`);
        if (sender.kind === "proof") {
          this.#proven = [...this.#proven.slice(-2), { key, report }];
          this.#provenAt.set(boot, Math.max(place, this.#provenAt.get(boot) ?? 0));
        }
        this.#told.set(boot, {
          stage: news.state === "failed" ? "fetched" : news.stage,
          at: this.#clock.now,
        });
      },
    );
  }

  /** The storage is lost, and all boots with it. */
  lose(): void {
    this.#told.clear();
    this.#proven = [];
    this.#provenAt.clear();
    this.#lostAt = this.#clock.now;
  }

  /** Must be so at any time. */
  lookAtRows(): void {
    const counts = this.#storage.rows<{ key: string; number: number; most: number }>(
      `SELECT key_id AS key, count(*) AS number, coalesce(keys.max_uses, 1) AS most
         FROM first_boots LEFT JOIN keys ON keys.id = key_id GROUP BY key_id`,
    );
    for (const { key, number, most } of counts)
      if (number > Math.max(1, Math.min(most, LIMITS.firstBootsOfKey)))
        this.#judge.accuse(`${number} first boots are kept of the key ${key}`);
    if (counts.reduce((sum, { number }) => sum + number, 0) > LIMITS.firstBoots)
      this.#judge.accuse("more first boots are kept than there is room for");
    const events = this.#storage.rows<{ action: string; node: string; key: string | null; state: string }>(
      "SELECT action, node, key_id AS key, state FROM events WHERE node IS NOT NULL OR action IN ('restored', 'rebuilt')",
    );
    // Of leases that were put back the log does not say how they began.
    const isOpen = events.some(({ action }) => action === "restored" || action === "rebuilt");
    for (const row of this.#rows()) {
      this.#lookAtStages(row);
      if (!isOpen) this.#lookAtLease(row, events);
    }
  }

  /** Each stage was reached after all before it. */
  #lookAtStages({ key_id: key, machine_id: machine, stages: text }: Row): void {
    const stages: Partial<Record<string, number>> = JSON.parse(text);
    const times = BOOT_STAGES.map((stage) => stages[stage]);
    const reached = times.filter((time) => time !== undefined);
    const isWhole = times.slice(0, reached.length).every((time) => time !== undefined);
    const isInOrder = reached.every((time, at) => time >= (reached[at - 1] ?? 0) && time <= this.#clock.now);
    if (!isWhole || !isInOrder)
      this.#judge.accuse(`the boot ${key} ${Number(machine)} has the stages ${text}`);
  }

  /** Whoever is shown as enrolled came in by that key, and whoever is shown as approved was let in. */
  #lookAtLease(
    { key_id, machine_id, node, stages: text }: Row,
    events: readonly { action: string; node: string; key: string | null; state: string }[],
  ): void {
    const stages: Partial<Record<string, number>> = JSON.parse(text);
    const own = events.filter((event) => event.node === node);
    const cameIn = own.some(({ action, key }) => action === "enrolled" && key === key_id);
    const isNamed = node !== null && stages["enrolled"] !== undefined;
    if ((node !== null || stages["enrolled"] !== undefined) && !(isNamed && cameIn))
      this.#judge.accuse(
        `the boot ${key_id} ${Number(machine_id)} has a lease, and ${node} did not come by its key`,
      );
    if (stages["approved"] !== undefined && !own.some(({ state }) => state === "active"))
      this.#judge.accuse(`the boot ${key_id} ${Number(machine_id)} is approved, and nobody let ${node} in`);
  }

  /** What was told and taken is there. */
  lookAround(): void {
    const rows = this.#rows();
    for (const [boot, { stage, at }] of this.#told) {
      // After a month without a word it may be forgotten.
      if (this.#clock.now - at > LIMITS.firstBootMs) continue;
      const row = rows.find(({ key_id, machine_id }) => `${key_id} ${machine_id}` === boot);
      const isFull = this.#full.has(boot.split(" ")[0] ?? "");
      const stages: Partial<Record<string, number>> = JSON.parse(row?.stages ?? "{}");
      if (stages[stage] === undefined && !isFull)
        this.#judge.accuse(`the boot ${boot} was taken as ${stage}, and has the stages ${row?.stages}`);
    }
  }

  #noteFull(): void {
    const kept = this.#storage.rows<{ key: string; number: number; most: number }>(
      `SELECT key_id AS key, count(*) AS number, coalesce(keys.max_uses, 1) AS most
         FROM first_boots LEFT JOIN keys ON keys.id = key_id GROUP BY key_id`,
    );
    for (const { key, number, most } of kept)
      if (number >= Math.min(most, LIMITS.firstBootsOfKey)) this.#full.add(key);
  }

  #rows(): Row[] {
    return this.#storage.rows<Row>("SELECT key_id, machine_id, node, stages, at FROM first_boots");
  }
}

function proofOf(key: Key, body: string) {
  const mac = createHmac("sha256", key.hash).update(`meshboot-first-boot-v1\n${body}`).digest("hex");
  return { keyPrefix: key.hash.slice(0, KEY_PREFIX_DIGITS), mac, body };
}
