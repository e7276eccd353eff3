import { consoleLog, type Log } from "../base/log.ts";
import type { Fetch } from "../controller/api/api.ts";
import { deriveNodeId } from "../identity/address.ts";
import type { NodeId } from "../lease/ids.ts";
import type { Post } from "../webhook/webhook-call.ts";

/** What the object takes from outside besides its storage: time, randomness, the network, and what costs processor time. */
export interface Platform {
  /** ms since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** A signal that is aborted after so many ms. */
  readonly timeout: (ms: number) => AbortSignal;
  /** [0, 1). */
  readonly random: () => number;
  /** Fills an array with random bytes. */
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
  readonly fetch: Fetch;
  /** The same for webhooks. */
  readonly post: Post;
  /** The node id that follows from a public key (64 bytes). */
  readonly deriveNodeId: (publicKey: Uint8Array<ArrayBuffer>) => Promise<NodeId | undefined>;
  readonly log: Log;
}

/** The platform that the object really runs on. */
export const workersPlatform: Platform = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  timeout: (ms) => AbortSignal.timeout(ms),
  random: () => Math.random(),
  randomBytes: (bytes) => crypto.getRandomValues(bytes),
  fetch: (url, init) => fetch(url, init),
  post: (url, init) => fetch(url, init),
  deriveNodeId,
  log: consoleLog,
};
