import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { keepBackup } from "../backup.ts";
import { LiveWorker } from "../live-worker.ts";
import type { SharedOptions } from "../options.ts";
import { cloudflareOf, Place } from "../place.ts";
import { Stopped } from "../questions.ts";
import { Missing, Refused } from "../refused.ts";
import { adminTokenPath, keptAdminToken } from "../secrets.ts";
import type { Step } from "../steps.ts";
import { carryOut, type Tools, urlOf } from "./deploy.ts";

/** What undoing may be told besides. */
export interface UndoOptions extends Omit<SharedOptions, "yes"> {
  /** The name, once more. */
  readonly confirm?: string | undefined;
  readonly withoutBackup?: boolean | undefined;
}

/** `npm run deploy -- undo`: deletes at Cloudflare what a deployment made there. */
export async function undo(options: UndoOptions, { questions, say }: Tools): Promise<void> {
  const place = new Place(options);
  const { cloudflare, account } = await cloudflareOf(place, undefined, questions, options.dryRun === true);
  const isLoggedIn = account !== undefined;
  const worker = isLoggedIn ? await cloudflare.worker(place.name) : undefined;
  if (worker !== undefined && !worker.isMeshboot)
    throw new Refused(
      `The Worker ${place.name} is none of Meshboot, and is left alone: give the --name of one that is`,
    );
  const title = `${place.name}-leases`;
  // By its title alone it may be somebody else's, where nothing here knows of a deployment of that name.
  const known = place.settings.kv ?? worker?.kv ?? (place.isKnown ? title : undefined);
  const namespace = isLoggedIn && known !== undefined ? await cloudflare.namespace(known) : undefined;
  const steps: Step[] = [];
  if (!isLoggedIn || worker !== undefined)
    steps.push({
      will: `delete the Worker ${place.name}, and with it every lease, key, token and event`,
      run: async () => cloudflare.deleteWorker(place.name),
    });
  if (!isLoggedIn || namespace !== undefined)
    steps.push({
      will: `delete the KV namespace ${namespace?.title ?? title}, and with it the copies of the leases`,
      run: async () => {
        if (namespace !== undefined) await cloudflare.deleteNamespace(namespace.id);
      },
    });
  if (steps.length === 0)
    return say(`Nothing to undo: there is neither a Worker ${place.name} nor its KV namespace.`);
  const isKept = options.withoutBackup !== true && (!isLoggedIn || worker !== undefined);
  say(`Undoing the deployment ${place.name} will, in this order:`);
  if (isKept) say(`  - keep a backup of the leases in ${place.shown}`);
  for (const { will } of steps) say(`  - ${will}`);
  say(
    "Servers go on as they are, and so do the ZeroTier network, its members and routes. No new server gets in,",
  );
  say(`and none can give its lease back. ${place.shown} stays, with the settings and the admin token.`);
  if (options.dryRun === true) return say("A dry run: nothing was changed.");
  await confirmName(options, place.name, questions);
  if (isKept) {
    const token = keptAdminToken(adminTokenPath(options, place));
    if (token === undefined) {
      throw new Refused(
        `No backup can be made without the admin token, and ${adminTokenPath(options, place)} is not there: give --admin-token-file, or go on without one: --without-backup`,
      );
    }
    say(`The backup: ${await keepBackup(new LiveWorker(urlOf(place), token), place, new Date())}`);
  }
  await carryOut(steps, say);
  const { deployed: _, kv: __, ...settings } = place.settings;
  place.change({ ...settings, secrets: {} });
  if (place.isKnown) place.save();
  dropUserData(place, say);
  say(
    `${place.name} is undone. npm run deploy makes it anew, without leases: docs/worker-lost.md has how a backup is restored.`,
  );
}

/** User-data of the Worker that is gone lets nobody in, and would pass for that of the next one. */
function dropUserData({ folder, shown }: Place, say: Tools["say"]): void {
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".user-data"))) {
    rmSync(join(folder, file));
    say(`${shown}/${file} is deleted: its key was of that Worker.`);
  }
}

/** The name has to be said again, by whoever sits there or by the flag. */
async function confirmName(
  { confirm }: UndoOptions,
  name: string,
  questions: Tools["questions"],
): Promise<void> {
  if (confirm === undefined && questions === undefined)
    throw new Missing([`--confirm ${name}, when all of that is to be deleted`]);
  const said = confirm ?? (await questions?.text(`To delete all of that, give the name ${name}`));
  if (said === name) return;
  if (confirm === undefined) throw new Stopped();
  throw new Refused(`--confirm ${confirm}: the deployment is called ${name}. Nothing was deleted`);
}
