import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type GeneratedIdentity, generateIdentity } from "./generate.ts";

/** The thread's program: one identity for each message it gets. */
const THREAD = new URL("./generate-thread.ts", import.meta.url);

/** Makes so many genuine identities on all processors; on two it takes about 0.2 s each. */
export async function generateIdentities(count: number): Promise<GeneratedIdentity[]> {
  const threads = Math.min(count, availableParallelism());
  if (threads <= 1) return Promise.all(Array.from({ length: count }, () => generateIdentity()));
  const shares = Array.from({ length: threads }, (_, thread) =>
    Math.floor((count + threads - 1 - thread) / threads),
  );
  return (await Promise.all(shares.map(generateInThread))).flat();
}

function generateInThread(count: number): Promise<GeneratedIdentity[]> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(THREAD, { workerData: count });
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}
