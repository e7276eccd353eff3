// A cursor is a place in a list as JSON in hex: nothing of it is to be relied on, and it is parsed as anything from outside.
import type { z } from "zod";
import { bytesFromHex, hexFromBytes } from "../base/hex.ts";
import type { Json } from "../http/key-value.ts";
import { Problem } from "../http/problem.ts";

export function writeCursor(place: Json): string {
  return hexFromBytes(new TextEncoder().encode(JSON.stringify(place)));
}

/** The place that a cursor stands for. Throws the problem `bad-request` when it is none of this list. */
export function readCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytesFromHex(cursor))));
  } catch {
    throw new Problem({
      problem: "bad-request",
      faults: ["cursor: give the `next` of the page before, of a list in the same order"],
    });
  }
}
