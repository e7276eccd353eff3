/** A worker thread: makes as many identities as its workerData says and posts them as one list. */
import { parentPort, workerData } from "node:worker_threads";
import { type GeneratedIdentity, generateIdentity } from "./generate.ts";

const identities: GeneratedIdentity[] = [];
while (identities.length < Number(workerData)) identities.push(await generateIdentity());
parentPort?.postMessage(identities);
