import { type KeyView, keysSchema } from "../../../worker/schema/key.ts";
import { allPages } from "./pages.ts";
import { Refused, type Worker } from "./worker.ts";

/** The keys of such a kind that are good and have let nobody in; none where the token is not for keys. */
export async function unusedKeys(worker: Worker, isMeant: (key: KeyView) => boolean): Promise<KeyView[]> {
  try {
    const { items } = await allPages(worker, "/v1/keys", keysSchema, {});
    return items.filter((key) => key.state === "valid" && key.uses === 0 && isMeant(key));
  } catch (error) {
    if (error instanceof Refused && error.status === 403) return [];
    throw error;
  }
}
