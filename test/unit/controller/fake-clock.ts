import { setImmediate } from "node:timers/promises";

/** A clock that tests move: it jumps from one sleeper's end to the next as soon as nothing else is left to do. */
export function makeFakeClock(start = 1_800_000_000_000) {
  let time = start;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  return {
    now: () => time,
    sleep: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        sleepers.push({ at: time + ms, wake: resolve });
      }),
    /** Lets everybody sleep to the end, up to `until`; settles when nobody sleeps any more. */
    async run(until = Number.POSITIVE_INFINITY): Promise<void> {
      for (;;) {
        await setImmediate();
        const next = sleepers.reduce<number>(
          (least, { at }) => Math.min(least, at),
          Number.POSITIVE_INFINITY,
        );
        if (next === Number.POSITIVE_INFINITY || next > until) return;
        time = Math.max(time, next);
        const due = sleepers.filter(({ at }) => at <= time);
        sleepers = sleepers.filter(({ at }) => at > time);
        for (const { wake } of due) wake();
      }
    },
  };
}
