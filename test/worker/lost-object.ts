import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import type { World } from "./world.ts";

/** The object's storage is gone, and what it had in memory. */
export async function loseStorage(world: World): Promise<void> {
  await runInDurableObject(world.object, async (_, state) => {
    await state.storage.deleteAlarm();
    await state.storage.deleteAll();
  });
  await abortAllDurableObjects();
}
