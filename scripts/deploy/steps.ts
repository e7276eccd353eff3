import type { Cloudflare } from "./cloudflare.ts";
import { checkedOut } from "./committed.ts";
import type { Decided, SeenWorker } from "./decide.ts";
import { IDENTITY_FILE } from "./own-controller.ts";
import type { Place } from "./place.ts";
import { digestHere } from "./program-digest.ts";
import { Refused } from "./refused.ts";
import { writePrivate } from "./settings.ts";
import { storeSecrets } from "./store-secrets.ts";
import { generatedConfig, type WranglerConfig } from "./wrangler-config.ts";

/** One thing that is to be done. Done again, it changes nothing. */
export interface Step {
  /** What it does, for people, before it is done. */
  readonly will: string;
  run(): Promise<void>;
}

/** What the steps work on. */
export interface Work {
  readonly place: Place;
  readonly tracked: WranglerConfig;
  readonly decided: Decided;
  readonly worker: SeenWorker;
  readonly cloudflare: Cloudflare;
  readonly release: string;
  /** Where the admin token is kept; undefined when it is only shown. */
  readonly adminTokenFile: { readonly folder: string; readonly name: string } | undefined;
}

/** What is missing at the controller and at Cloudflare, in the order in which it is made; nothing when all is as it should be. */
export async function stepsFor(work: Work): Promise<Step[]> {
  const { place, decided } = work;
  const steps = [
    ...networkSteps(work),
    ...(await namespaceSteps(work)),
    ...tokenSteps(work),
    ...identitySteps(work),
  ];
  const deploying = await deploySteps(work);
  const all = [...steps, ...deploying, ...secretSteps(work)];
  const isNews = JSON.stringify(decided.settings) !== JSON.stringify(place.settings) || !place.isKnown;
  if (all.length === 0 && !isNews) return [];
  return [
    {
      will: `keep the settings in ${place.shown}, which only you may read`,
      run: async () => {
        place.change(decided.settings);
        place.save();
      },
    },
    ...all,
  ];
}

function networkSteps({ place, decided: { network, controller } }: Work): Step[] {
  if (network === undefined || !("make" in network)) return [];
  return [
    {
      will: `make the private ZeroTier network ${network.make}`,
      run: async () => {
        if (controller === undefined)
          throw new Refused("A network is made with the ZeroTier token: give ZEROTIER_TOKEN");
        const made = await controller.makeNetwork(network.make);
        const { settings } = place;
        place.change({ ...settings, vars: { ...settings.vars, ZEROTIER_NETWORK: made.id } });
        place.save();
      },
    },
  ];
}

async function namespaceSteps({ place, decided, worker, cloudflare }: Work): Promise<Step[]> {
  if (decided.settings.kv !== undefined) return [];
  const title = `${place.name}-leases`;
  const found = worker === "unknown" ? undefined : await cloudflare.namespace(title);
  const keep = (kv: string): void => {
    place.change({ ...place.settings, kv });
    place.save();
  };
  if (found !== undefined) {
    return [
      {
        will: `use the KV namespace ${title}, which is there already, for the copies of leases`,
        run: async () => keep(found.id),
      },
    ];
  }
  return [
    {
      will: `make the KV namespace ${title} for the copies of leases${worker === "unknown" ? ", unless it is there" : ""}`,
      run: async () => keep(await cloudflare.makeNamespace(title)),
    },
  ];
}

/** The admin token is kept before it is stored: whatever stops the run, it is not lost. */
function tokenSteps({ adminTokenFile, decided }: Work): Step[] {
  const { adminToken, isNewAdminToken } = decided;
  if (!isNewAdminToken || adminToken === undefined) return [];
  if (adminTokenFile === undefined) {
    return [
      {
        will: "make an admin token and show it once",
        run: async () => console.log(`  The admin token, which is shown this once: ${adminToken}`),
      },
    ];
  }
  const { folder, name } = adminTokenFile;
  return [
    {
      will: `make an admin token and keep it in ${folder}/${name}, which only you may read`,
      run: async () => void writePrivate(folder, name, `${adminToken}\n`),
    },
  ];
}

/** So is the controller's identity, with which the network would be lost. */
function identitySteps({ place, decided: { newIdentity } }: Work): Step[] {
  if (newIdentity === undefined) return [];
  const { identity } = newIdentity;
  return [
    {
      will: `make the identity of the mesh's controller and keep it in ${place.shown}/${IDENTITY_FILE}, which only you may read`,
      run: async () => {
        if (identity !== undefined) writePrivate(place.folder, IDENTITY_FILE, `${identity}\n`);
      },
    },
  ];
}

async function deploySteps({ place, tracked, decided, worker, cloudflare, release }: Work): Promise<Step[]> {
  const { deployed } = decided.settings;
  const there = worker === "unknown" ? undefined : worker;
  if (deployed !== undefined && deployed.version === there?.version) {
    const digest = await digestHere(place.root, generatedConfig(place, tracked, decided.settings));
    if (digest === deployed.digest) return [];
  }
  const how =
    worker === undefined ? "new" : `${worker === "unknown" ? "new or " : ""}in place of what runs there`;
  return [
    {
      will: `deploy the Worker ${place.name}, Meshboot ${release}, ${how}`,
      run: async () => {
        const config = generatedConfig(place, tracked, place.settings);
        const file = writePrivate(place.folder, "wrangler.json", `${JSON.stringify(config, null, 2)}\n`);
        const commit = checkedOut(place.root);
        const message = `Meshboot ${release}${commit === undefined ? "" : ` ${commit.slice(0, 12)}`}`;
        const { version, digest, urls } = await cloudflare.deploy(file, config, message);
        const [url = ""] = urls;
        place.change({
          ...place.settings,
          deployed: { version, digest, url, release, ...(commit !== undefined && { commit }) },
        });
        place.save();
      },
    },
  ];
}

function secretSteps({ place, decided: { secrets, secretNames }, cloudflare }: Work): Step[] {
  if (secretNames.length === 0) return [];
  return [
    {
      will: `store ${secretNames.join(" and ")} with the Worker, as secrets`,
      run: async () => storeSecrets(place, cloudflare, secrets),
    },
  ];
}
