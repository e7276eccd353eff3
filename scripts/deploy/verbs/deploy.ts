import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { keepBackup } from "../backup.ts";
import { type Decided, decide, type SeenWorker } from "../decide.ts";
import { LiveWorker } from "../live-worker.ts";
import type { DeployOptions } from "../options.ts";
import { cloudflareOf, Place } from "../place.ts";
import { type Questions, Stopped } from "../questions.ts";
import { Missing, Refused } from "../refused.ts";
import { adminTokenPath } from "../secrets.ts";
import { writePrivate } from "../settings.ts";
import { type Step, stepsFor } from "../steps.ts";
import { workerUrl } from "../worker-url.ts";
import { trackedConfig, type WranglerConfig } from "../wrangler-config.ts";

/** What a deployment is made with, beside its options. */
export interface Tools {
  readonly questions: Questions | undefined;
  /** Of package.json. */
  readonly release: string;
  readonly say: (line: string) => void;
}

/** What was looked at and decided, with nothing changed yet. */
interface Prepared {
  readonly place: Place;
  readonly tracked: WranglerConfig;
  readonly worker: SeenWorker;
  readonly decided: Decided;
  readonly steps: readonly Step[];
}

/** `npm run deploy`: makes the deployment what it is to be, and does nothing when it is. */
export async function deploy(options: DeployOptions, tools: Tools): Promise<void> {
  const { say } = tools;
  const prepared = await prepare(options, tools);
  const { place, decided, worker } = prepared;
  const isThere = worker !== undefined && worker !== "unknown";
  const steps = [...(isThere ? backupSteps(prepared) : []), ...prepared.steps];
  if (prepared.steps.length === 0) {
    say(`Nothing to change: ${place.name} is deployed as it should be.`);
  } else {
    say(steps.length === 1 ? "This will be done:" : "This will be done, in this order:");
    for (const [at, { will }] of steps.entries()) say(`  ${at + 1}. ${will}`);
    for (const after of endSteps(options)) say(`  ${after}`);
  }
  if (options.dryRun === true) {
    for (const wish of decided.missing) say(`To be said first, or asked on a terminal: ${wish}`);
    if (worker === "unknown") say("Not looked at, without a login at Cloudflare: what is there already.");
    say("A dry run: nothing was changed.");
    return;
  }
  if (steps.length > 0 && prepared.steps.length > 0) {
    await agree(options, tools.questions, "Do it?");
    await carryOut(steps, say);
  }
  await finish(options, place, decided.adminToken, say);
}

/** Looks at all there is and decides. Changes nothing. */
export async function prepare(options: DeployOptions, tools: Tools): Promise<Prepared> {
  if (options.showAdminToken === true && tools.questions === undefined && options.dryRun !== true)
    throw new Refused(
      "--show-admin-token would write it into a log, without a terminal: give --admin-token-file",
    );
  const place = new Place(options);
  const { tracked, edits } = trackedConfig(place.root);
  const { cloudflare, account } = await cloudflareOf(
    place,
    options.account,
    tools.questions,
    options.dryRun === true,
  );
  const worker = account === undefined ? "unknown" : await cloudflare.worker(place.name);
  const { questions, release, say } = tools;
  const decided = await decide({ options, place, tracked, edits, account: account?.id, worker, questions });
  const path = adminTokenPath(options, place);
  const steps = await stepsFor({
    ...{ place, tracked, decided, worker, cloudflare, release },
    adminTokenFile:
      options.showAdminToken === true ? undefined : { folder: dirname(path), name: basename(path) },
  });
  say(`Meshboot ${release}, deployment ${place.name}`);
  say(
    `  account at Cloudflare  ${account === undefined ? "not known: no login" : `${account.name} (${account.id})`}`,
  );
  const shown = { ...tracked.vars, ...decided.settings.vars };
  if (decided.network !== undefined && "make" in decided.network)
    shown["ZEROTIER_NETWORK"] = `a new one, ${decided.network.make}`;
  for (const [name, value] of Object.entries(shown)) say(`  ${name.padEnd(21)}  ${value || "not known yet"}`);
  for (const remark of decided.remarks) say(`Note: ${remark}.`);
  return { place, tracked, worker, decided, steps };
}

/** Asks whether to go on. Without a terminal that is said by --yes. */
export async function agree(
  { yes }: Pick<DeployOptions, "yes">,
  questions: Questions | undefined,
  message: string,
): Promise<void> {
  if (yes === true) return;
  if (questions === undefined) throw new Missing(["--yes, when that is to be done"]);
  if (!(await questions.confirm(message))) throw new Stopped();
}

/** Does the steps one after the other. */
export async function carryOut(steps: readonly Step[], say: (line: string) => void): Promise<void> {
  for (const [at, { will, run }] of steps.entries()) {
    say(`[${at + 1}/${steps.length}] ${will}`);
    await run();
  }
}

/** Where the deployment's Worker is called. */
export function urlOf({ settings }: Place): string {
  const url = settings.url ?? settings.deployed?.url ?? "";
  if (url !== "") return workerUrl(url);
  throw new Refused(
    "Where the Worker is called is not known: neither workers.dev nor a domain leads to it. Give the address as --url",
  );
}

/** Before another program takes over the leases: their backup, where this machine has the token for it. */
function backupSteps({ place, decided, steps }: Prepared): Step[] {
  const { adminToken, isNewAdminToken } = decided;
  if (adminToken === undefined || isNewAdminToken || !place.settings.deployed) return [];
  if (!steps.some(({ will }) => will.startsWith("deploy "))) return [];
  const worker = new LiveWorker(urlOf(place), adminToken);
  return [
    {
      will: `keep a backup of the leases in ${place.shown}, if there are any`,
      run: async () => {
        const told = await worker.backup();
        if ("ok" in told) await keepBackup(worker, place, new Date());
        else console.log(`  No backup: ${told.refused}.`);
      },
    },
  ];
}

function endSteps({ firstServer }: DeployOptions): string[] {
  const ends = ["Then: wait until /healthz says ok"];
  return firstServer === undefined ? ends : [...ends, `and make user-data for the server ${firstServer}`];
}

/** Waits for the Worker, and says how to go on. */
export async function finish(
  options: DeployOptions,
  place: Place,
  adminToken: string | undefined,
  say: (line: string) => void,
): Promise<void> {
  const url = urlOf(place);
  const worker = new LiveWorker(url, adminToken);
  const told = await worker.health();
  if ("refused" in told) {
    throw new Refused(
      `The Worker was deployed, and does not answer as it should: ${told.refused}. A new name may take minutes: run it again, which changes nothing`,
    );
  }
  const { status, faults, warnings } = told.ok;
  for (const warning of warnings) say(`Note: ${warning}`);
  if (status !== "ok")
    throw new Refused(
      `The Worker runs at ${url} and is ${status}:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    );
  say(`The Worker runs at ${url} and is well.`);
  const path = adminTokenPath(options, place);
  say(`  dashboard     ${url}/`);
  if (existsSync(path)) say(`  admin token   in ${path}`);
  else if (options.showAdminToken !== true)
    say("  admin token   not kept on this machine; the one that you have stays good");
  if (options.firstServer === undefined)
    say(`  first server  ${url}/add, or run this again with --first-server web1`);
  else say(`  ${await firstServer(options.firstServer, worker, place)}`);
}

/** Makes user-data once: it holds a key, so it is kept in a file and not printed. */
async function firstServer(name: string, worker: LiveWorker, place: Place): Promise<string> {
  const file = `${name}.user-data`;
  const there = join(place.folder, file);
  if (existsSync(there)) return `user-data     for ${name} was made before: ${there}`;
  const told = await worker.userData(name);
  if ("refused" in told)
    throw new Refused(
      `The Worker made no user-data for ${name}: ${told.refused}. It needs the admin token: --admin-token-file`,
    );
  return `user-data     for ${name}: ${writePrivate(place.folder, file, told.ok)} (it holds a key: paste it where the provider asks for it, then delete it)`;
}
