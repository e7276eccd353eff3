import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { App } from "../http/context.ts";
import { Refused } from "./api.ts";

/** What a form was sent with: the text of a field, "" where there is none. */
export type Form = (field: string) => string;

/** Reads a form of at most `bytes`. Throws {@link Refused}. */
export async function readForm(c: Context<App>, bytes: number): Promise<Form> {
  const refuse = (): never => {
    throw Refused.by({ problem: "body-too-large", most: bytes });
  };
  const fields = new Map<string, string>();
  try {
    await bodyLimit({ maxSize: bytes, onError: refuse })(c, async () => {
      // The length that it was said to have was believed so far. What hono has read once it keeps.
      const { byteLength } = await c.req.arrayBuffer();
      if (byteLength > bytes) refuse();
      for (const [field, value] of Object.entries(await c.req.parseBody()))
        if (typeof value === "string") fields.set(field, value.trim());
    });
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw Refused.by({ problem: "bad-request", faults: ["the form did not arrive whole: send it again"] });
  }
  return (field) => fields.get(field) ?? "";
}
