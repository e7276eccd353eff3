import { existsSync, renameSync } from "node:fs";
import { basename, dirname } from "node:path";
import { newAdminToken } from "../../new-admin-token.ts";
import type { Cloudflare } from "../cloudflare.ts";
import { LiveWorker } from "../live-worker.ts";
import type { SharedOptions } from "../options.ts";
import { cloudflareOf, Place } from "../place.ts";
import { Refused } from "../refused.ts";
import { adminTokenPath, keptAdminToken } from "../secrets.ts";
import { writePrivate } from "../settings.ts";
import type { Step } from "../steps.ts";
import { storeSecrets } from "../store-secrets.ts";
import { agree, carryOut, type Tools, urlOf } from "./deploy.ts";

/** What a rotation may be told besides. */
export interface RotationOptions extends SharedOptions {
  /** Whether the token before ends at once. */
  readonly now?: boolean | undefined;
}

/** What the steps work on. */
interface Rotation {
  readonly place: Place;
  readonly cloudflare: Cloudflare;
  /** With the new token. */
  readonly worker: LiveWorker;
  readonly token: string;
  /** Where the token is kept, and where until the Worker takes it. */
  readonly path: string;
  readonly next: string;
}

/** `npm run deploy -- rotate-admin-token`: another ADMIN_TOKEN in place of the present one, which stays good for a time. */
export async function rotateAdminToken(options: RotationOptions, tools: Tools): Promise<void> {
  const { questions, say } = tools;
  const place = new Place(options);
  if (place.settings.deployed === undefined)
    throw new Refused(
      `There is no deployment ${place.name} that was made here: npm run deploy makes it, or takes it over`,
    );
  const { cloudflare, account } = await cloudflareOf(place, undefined, questions, options.dryRun === true);
  if (account !== undefined && (await cloudflare.worker(place.name))?.isMeshboot !== true)
    throw new Refused(
      `There is no Meshboot ${place.name} in the account ${account.name}: npm run deploy deploys it again`,
    );
  const url = urlOf(place);
  const path = adminTokenPath(options, place);
  const next = `${path}.next`;
  const token = keptAdminToken(next) ?? newAdminToken();
  const worker = new LiveWorker(url, token);
  const steps = stepsOf({ place, cloudflare, worker, token, path, next }, options.now === true);
  await tellOfOneBefore(url, path, say);
  say("This will be done, in this order:");
  for (const [at, { will }] of steps.entries()) say(`  ${at + 1}. ${will}`);
  if (options.dryRun === true) return say("A dry run: nothing was changed.");
  await agree(options, questions, "Do it?");
  await carryOut(steps, say);
  const former = await worker.formerToken();
  say(`There is another admin token: in ${path}.`);
  if ("ok" in former && former.ok?.state === "valid" && former.ok.expiresAt !== null) {
    say(`The one before stays good until ${former.ok.expiresAt}, for whatever still has it. To end it now:`);
    say(`  MESHBOOT_URL=${url} MESHBOOT_TOKEN="$(cat ${path})" npx meshboot tokens revoke former --yes`);
  } else say("The one before is good no more.");
  say(`Where you have signed in with that: npx meshboot login ${url}, and the dashboard.`);
}

/** A second change within the agreed time ends the first of the three. */
async function tellOfOneBefore(url: string, path: string, say: Tools["say"]): Promise<void> {
  const present = keptAdminToken(path);
  if (present === undefined) return;
  const former = await new LiveWorker(url, present).formerToken(0);
  if ("ok" in former && former.ok?.state === "valid")
    say(`Note: the one before the present one was good until ${former.ok.expiresAt}, and ends with this.`);
}

/** The new token is kept before it is stored, and the present one until the Worker takes the new one: whatever stops the run, none is lost. */
function stepsOf({ place, cloudflare, worker, token, path, next }: Rotation, endsFormer: boolean): Step[] {
  return [
    {
      will: existsSync(next)
        ? `go on with the admin token in ${next}, of a run that was cut off`
        : `make an admin token and keep it in ${next}, which only you may read`,
      run: async () => void writePrivate(dirname(next), basename(next), `${token}\n`),
    },
    {
      will: `store ADMIN_TOKEN with the Worker ${place.name}, as a secret`,
      run: async () => storeSecrets(place, cloudflare, { ADMIN_TOKEN: token }),
    },
    {
      will: `wait until the Worker takes it, and keep it as ${path} in place of the one before`,
      run: async () => {
        const told = await worker.formerToken();
        if ("refused" in told)
          throw new Refused(
            `The admin token is stored, and the Worker does not take it yet: ${told.refused}. It is in ${next}; run this again, which goes on with it`,
          );
        renameSync(next, path);
      },
    },
    ...(endsFormer
      ? [
          {
            will: "end the one before: whatever still has it is refused from then on",
            run: async () => {
              const told = await worker.endFormerToken();
              if ("refused" in told)
                throw new Refused(
                  `The one before is not ended: ${told.refused}. To end it: MESHBOOT_TOKEN="$(cat ${path})" and MESHBOOT_URL set, npx meshboot tokens revoke former --yes`,
                );
            },
          },
        ]
      : []),
  ];
}
