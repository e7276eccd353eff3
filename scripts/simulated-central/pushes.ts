/** ms that a node's wait for a push is held before it is answered with nothing, and asks anew. */
const HELD_MS = 30_000;

/** Nodes that wait for the controller to push them a changed configuration. */
export interface Pushes {
  /** Resolves with what `look` finds, now or after a change; undefined when nothing came or the node has gone. */
  wait<T>(look: () => T | undefined, gone: AbortSignal): Promise<T | undefined>;
  /** Something has changed: every waiting node's configuration is looked at again. */
  changed(): void;
}

export function makePushes(): Pushes {
  const waiting = new Set<() => void>();
  return {
    wait(look, gone) {
      return new Promise((resolve) => {
        const end = (found: ReturnType<typeof look>) => {
          clearTimeout(timer);
          waiting.delete(again);
          resolve(found);
        };
        const again = () => {
          const found = look();
          if (found !== undefined) end(found);
        };
        const timer = setTimeout(() => end(undefined), HELD_MS);
        timer.unref();
        gone.addEventListener("abort", () => end(undefined), { once: true });
        waiting.add(again);
        again();
      });
    },
    changed() {
      for (const again of [...waiting]) again();
    },
  };
}
