/**
 * Calls back once when the process that started this one is gone: another one, mostly init, has taken its place then.
 * Keeps nothing alive by itself. `everyMs`: how often it looks.
 */
export function onParentGone(gone: () => void, everyMs = 500): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, everyMs);
  timer.unref();
}
