import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keepBackup } from "../backup.ts";
import { changesSince } from "../changes.ts";
import { committed } from "../committed.ts";
import { LiveWorker } from "../live-worker.ts";
import type { SharedOptions } from "../options.ts";
import { Refused } from "../refused.ts";
import { adminTokenPath } from "../secrets.ts";
import { agree, carryOut, finish, prepare, type Tools, urlOf } from "./deploy.ts";

/** Entries of the changelog that are shown; the rest is counted. */
const MOST_SHOWN = 12;

/** `npm run deploy -- upgrade`: this checkout in place of what runs, with a backup before and a check after. */
export async function upgrade(
  options: SharedOptions & { readonly withoutBackup?: boolean | undefined },
  tools: Tools,
): Promise<void> {
  const { say, release } = tools;
  const { place, decided, steps, worker } = await prepare(options, tools);
  const { deployed } = place.settings;
  if (worker === undefined || deployed === undefined) {
    throw new Refused(
      `There is no deployment ${place.name} that was made here: npm run deploy makes it, or takes it over`,
    );
  }
  if (steps.length === 0) return say(`Nothing to upgrade: ${place.name} runs this program already.`);
  const live = new LiveWorker(urlOf(place), decided.adminToken);
  say(`From Meshboot ${(await live.release()) ?? deployed.release} to ${release}:`);
  sayChanges(place.root, deployed.commit, say);
  const isKept = options.withoutBackup !== true;
  say("This will be done, in this order:");
  if (isKept) say(`  - keep a backup of the leases in ${place.shown}`);
  for (const { will } of steps) say(`  - ${will}`);
  say("  - wait until /healthz says ok, and count the servers again");
  if (options.dryRun === true) return say("A dry run: nothing was changed.");
  if (isKept && decided.adminToken === undefined) {
    throw new Refused(
      `No backup can be made without the admin token, and ${adminTokenPath(options, place)} is not there: give --admin-token-file, or go on without one: --without-backup`,
    );
  }
  await agree(options, tools.questions, "Upgrade?");
  const before = await nodes(live);
  if (isKept) say(`The backup: ${await keepBackup(live, place, new Date())}`);
  await carryOut(steps, say);
  await finish(options, place, decided.adminToken, say);
  const after = await nodes(live);
  if (before !== undefined && before !== after) {
    throw new Refused(
      `There were ${before} servers before, and now there are ${after ?? "none that the Worker tells of"}: look at ${urlOf(place)}/, and at docs/worker-lost.md before you do anything else`,
    );
  }
  if (before !== undefined) say(`The same ${before} servers are there as before.`);
  say(`To go back: npx wrangler rollback ${deployed.version} --name ${place.name}`);
  say(
    "  That is the program alone: what it stores stays as the newer one has made it, and the older one may not know it.",
  );
}

function sayChanges(root: string, commit: string | undefined, say: (line: string) => void): void {
  const now = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const older = commit === undefined ? undefined : committed(root, "CHANGELOG.md", commit);
  const { asked, others } = changesSince(older, now);
  for (const entry of asked) say(`  ! ${entry}`);
  for (const entry of others.slice(0, MOST_SHOWN)) say(`  - ${entry.split(". ")[0]}`);
  if (others.length > MOST_SHOWN) say(`  and ${others.length - MOST_SHOWN} more: CHANGELOG.md`);
  if (asked.length + others.length === 0) say("  nothing that CHANGELOG.md tells of");
}

/** How many nodes there are in all; undefined when the Worker does not say. */
async function nodes(worker: LiveWorker): Promise<number | undefined> {
  const told = await worker.health(0);
  if ("refused" in told || told.ok.nodes === undefined) return undefined;
  // `failed` counts nodes that are in another state as well.
  return Object.entries(told.ok.nodes).reduce(
    (sum, [state, count]) => (state === "failed" ? sum : sum + count),
    0,
  );
}
