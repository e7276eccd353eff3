import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { App } from "../http/context.ts";
import { Refused } from "./api.ts";

/** What a form was sent with: the text of a field, "" where there is none; `all`: of each that has the name. */
export interface Form {
  (field: string): string;
  all(field: string): readonly string[];
}

/** What a form that is sent by GET has put into the page's address. */
export function addressForm(c: Context<App>): Form {
  return formOf(new Map(Object.entries(c.req.queries())));
}

function formOf(fields: ReadonlyMap<string, readonly string[]>): Form {
  const all = (field: string): readonly string[] => (fields.get(field) ?? []).map((value) => value.trim());
  return Object.assign((field: string) => all(field).at(-1) ?? "", { all });
}

/** Reads a form of at most `bytes`. Throws {@link Refused}. */
export async function readForm(c: Context<App>, bytes: number): Promise<Form> {
  const refuse = (): never => {
    throw Refused.by({ problem: "body-too-large", most: bytes });
  };
  const fields = new Map<string, readonly string[]>();
  try {
    await bodyLimit({ maxSize: bytes, onError: refuse })(c, async () => {
      // The length that it was said to have was believed so far. What hono has read once it keeps.
      const { byteLength } = await c.req.arrayBuffer();
      if (byteLength > bytes) refuse();
      for (const [field, value] of Object.entries(await c.req.parseBody({ all: true })))
        fields.set(
          field,
          [value].flat().filter((one) => typeof one === "string"),
        );
    });
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw Refused.by({ problem: "bad-request", faults: ["the form did not arrive whole: send it again"] });
  }
  return formOf(fields);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id of a form, by which one that is sent again gives the same key again; another one where it has none. */
export function onceOf(form: Form): string {
  const once = form("once");
  return UUID.test(once) ? once : crypto.randomUUID();
}
