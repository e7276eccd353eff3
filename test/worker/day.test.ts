// Days of a thousand servers, with the rows that the storage itself counts, against Cloudflare's free plan. docs/deploy.md has the
// figures: change them there as well.
import { abortAllDurableObjects, reset } from "cloudflare:test";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { LeaseView } from "../../worker/schema/lease.ts";
import { DAY, FreePlan, HOUR, MINUTE, SECOND, type Usage } from "./free-plan.ts";

const SERVERS = 1000;
/** Servers that restart in a day. */
const RESTARTS = 20;

/** What the free plan has a day, by its pages. */
const FREE = { requests: 100_000, rowsRead: 5_000_000, rowsWritten: 100_000, kvWrites: 1000 };

interface Happening {
  readonly at: number;
  readonly happen: () => Promise<unknown>;
}

/** Numbers in [0, 1) that are the same each time (a linear congruential generator). */
function chances(): () => number {
  let state = 1;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** When a server reports between two times: an hour after it last did, and up to ten minutes later (meshboot.timer). */
function reports(from: number, to: number, chance: () => number): number[] {
  const times: number[] = [];
  for (let at = from; at < to; at += HOUR + chance() * 10 * MINUTE) times.push(at);
  return times;
}

/** Lets happen what does, with the hourly runs, and a monitor that asks for the health once a minute. */
async function pass(plan: FreePlan, until: number, happenings: readonly Happening[]): Promise<Usage> {
  const begin = plan.now;
  const every = (ms: number, from: number, happen: Happening["happen"]): Happening[] =>
    Array.from({ length: Math.ceil((until - begin - from) / ms) }, (_, count) => ({
      at: begin + from + count * ms,
      happen,
    }));
  const hourly = every(HOUR, 17 * MINUTE, () => runHourly(plan));
  const monitor = every(MINUTE, 0, () => plan.call((object) => object.health(false)));
  const all = [...happenings, ...hourly, ...monitor].sort((a, b) => a.at - b.at);
  for (const { at, happen } of all) {
    await plan.until(at);
    await happen();
  }
  await plan.until(until);
  return plan.used();
}

/** The hourly run, which finds that the controller has seen every server. */
async function runHourly(plan: FreePlan): Promise<void> {
  for (const member of plan.central.network.members.values()) member.lastSeen = plan.now - 30 * SECOND;
  await plan.call((object) => object.reconcile());
}

/** What was used. */
interface Days {
  /** All servers come within an hour, and report from then on. */
  readonly first: Usage;
  /** All report; a few restart. */
  readonly second: Usage;
  /** By one report, by one hourly run, and by one more server that comes on the first day. */
  readonly report: Usage;
  readonly run: Usage;
  readonly oneMore: Usage;
  readonly oneMoreLease: LeaseView;
  /** Copies that wait at the end of the first day, and a little after. */
  readonly waiting: readonly number[];
}

async function live(plan: FreePlan): Promise<Days> {
  const chance = chances();
  plan.kvQuota = FREE.kvWrites;
  const key = await plan.key();
  const tokens = new Map<number, string>();
  const begin = plan.now;
  const midnight = begin + DAY;
  const evening = midnight - HOUR / 2;
  const report = (number: number, at: number): Happening => ({
    at,
    happen: () => plan.beat(number, tokens.get(number) ?? ""),
  });
  const servers = Array.from({ length: SERVERS }, (_, number) => number);
  const firstDay = servers.flatMap((number) => {
    const at = begin + (number * HOUR) / SERVERS;
    const enrol = async () => tokens.set(number, (await plan.enrol(number, key)).tokenHash);
    const upAt = at + 2 * MINUTE;
    return [
      { at, happen: enrol },
      report(number, upAt),
      ...reports(upAt + HOUR, midnight, chance).map((time) => report(number, time)),
    ];
  });
  const early = await pass(
    plan,
    evening,
    firstDay.filter(({ at }) => at < evening),
  );
  const { enrolled, tokenHash } = await plan.enrol(SERVERS, key);
  tokens.set(SERVERS, tokenHash);
  await plan.pass(MINUTE);
  const oneMore = plan.used();
  const waiting = [plan.waiting("copy")];
  const late = await pass(
    plan,
    midnight - SECOND,
    firstDay.filter(({ at }) => at >= plan.now),
  );
  await plan.pass(MINUTE);
  waiting.push(plan.waiting("copy"));
  plan.used();
  const secondDay = servers.flatMap((number) => [
    ...reports(midnight + MINUTE + chance() * HOUR, midnight + DAY, chance).map((time) =>
      report(number, time),
    ),
    ...(number < RESTARTS ? [report(number, midnight + (number + 1) * HOUR)] : []),
  ]);
  const second = await pass(plan, midnight + DAY, secondDay);
  await plan.beat(1, tokens.get(1) ?? "");
  const oneReport = plan.used();
  await runHourly(plan);
  const run = plan.used();
  return {
    first: sum(early, sum(oneMore, late)),
    second,
    report: oneReport,
    run,
    oneMore,
    oneMoreLease: enrolled.lease,
    waiting,
  };
}

function sum(a: Usage, b: Usage): Usage {
  return {
    requests: a.requests + b.requests,
    alarms: a.alarms + b.alarms,
    rowsRead: a.rowsRead + b.rowsRead,
    rowsWritten: a.rowsWritten + b.rowsWritten,
    kvWrites: a.kvWrites + b.kvWrites,
    controllerCalls: a.controllerCalls + b.controllerCalls,
  };
}

/** The figures that are larger than said, or nothing at all. */
function beyond(used: Usage, most: Partial<Usage>): string[] {
  const figures: Record<string, number> = { ...used };
  return Object.entries(most).flatMap(([what, figure]) => {
    const is = figures[what] ?? 0;
    return is > 0 && is <= figure ? [] : [`${is} ${what} instead of ${figure} at most`];
  });
}

describe("a thousand servers", () => {
  let days: Days;
  beforeAll(async () => {
    await FreePlan.run(async (plan) => {
      days = await live(plan);
    });
  });
  afterAll(async () => {
    await reset();
    await abortAllDurableObjects();
    vi.restoreAllMocks();
  });

  it("fit the free plan on the day that they come", () => {
    expect(beyond(days.first, FREE)).toEqual([]);
    expect(
      beyond(days.first, {
        requests: 27_000,
        alarms: 2200,
        rowsRead: 1_120_000,
        rowsWritten: 86_000,
        controllerCalls: 4200,
      }),
    ).toEqual([]);
  });

  it("make calls of the Worker that fit as well, with one each for the agent", () => {
    const { requests, alarms } = days.first;
    expect(requests - alarms + SERVERS).toBeLessThanOrEqual(26_000);
  });

  it("use less than half of it on every other", () => {
    expect(
      beyond(days.second, { requests: 24_000, rowsRead: 900_000, rowsWritten: 45_000, controllerCalls: 50 }),
    ).toEqual([]);
    expect(days.second.kvWrites).toBe(0);
  });

  it("write sixty rows a server and day at most, and two a report", () => {
    expect(days.second.rowsWritten / SERVERS).toBeLessThanOrEqual(60);
    expect(beyond(days.report, { rowsWritten: 2, rowsRead: 40 })).toEqual([]);
  });

  it("are not read by the hourly run, and hardly anything is written by it", () => {
    expect(beyond(days.run, { rowsRead: 150, rowsWritten: 6, controllerCalls: 2 })).toEqual([]);
  });

  it("keep out no other, though its copy has to wait for the next day's writes of KV", () => {
    expect(days.oneMoreLease.state).toBe("active");
    expect(days.first.kvWrites).toBe(FREE.kvWrites);
    expect(days.oneMore.kvWrites).toBe(0);
    expect(days.waiting).toEqual([1, 0]);
  });
});
