// A cursor is a place in a list as JSON in hex: nothing of it is to be relied on, and it is parsed as anything from outside.
import { z } from "zod";
import { bytesFromHex, hexFromBytes } from "../base/hex.ts";
import type { Json } from "../http/key-value.ts";
import { Problem } from "../http/problem.ts";
import type { MadePlace } from "../store/made-place.ts";

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

const madePlace = z.object({ createdAt: z.number().int(), id: z.string().regex(/^[0-9a-z]{1,16}$/) });

/** The cursor behind what was made then, as a view says it, in a list in the order of making. */
export function writeMadeCursor({
  createdAt,
  id,
}: {
  readonly createdAt: string;
  readonly id: string;
}): string {
  return writeCursor({ createdAt: Date.parse(createdAt), id });
}

/** The place that it stands for. Throws as {@link readCursor}. */
export function readMadeCursor(cursor: string | undefined): MadePlace | undefined {
  return readCursor(cursor, madePlace);
}
