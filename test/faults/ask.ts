import type { NetworkObject } from "../../worker/network/network-object.ts";

/** Calls the object, and takes its answer; when it is gone with that, the first function is called. */
export type Ask = <T>(
  work: (object: NetworkObject) => T | Promise<T>,
  end: () => void,
  take: (answer: T) => void,
) => void;
