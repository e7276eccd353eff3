import { randomInt } from "node:crypto";
import { parseConfig } from "../../worker/config/config.ts";
import { fit as compare } from "../../worker/controller/fit.ts";
import type { Pool } from "../../worker/lease/pool.ts";
import { newAdminToken } from "../new-admin-token.ts";
import { chooseNetwork, rangesFor, type WantedNetwork } from "./choose-network.ts";
import type { DeployedWorker } from "./cloudflare.ts";
import { CONTROLLER_KINDS, type ControllerAccount } from "./controller/controller.ts";
import { type DeployOptions, givenVars } from "./options.ts";
import { type OwnController, ownController } from "./own-controller.ts";
import type { Place } from "./place.ts";
import type { Questions } from "./questions.ts";
import { Missing, Refused } from "./refused.ts";
import { adminTokenPath, digestOf, givenZerotierToken, keptAdminToken } from "./secrets.ts";
import type { Settings } from "./settings.ts";
import { isReadable, workerUrl } from "./worker-url.ts";
import { type Edits, isUntouched, type WranglerConfig } from "./wrangler-config.ts";

/** What there is at Cloudflare: "unknown" without a login. */
export type SeenWorker = DeployedWorker | undefined | "unknown";

/** What a deployment is to be, before anything was changed. */
export interface Decided {
  readonly settings: Settings;
  readonly controller: ControllerAccount | undefined;
  /** Undefined when it cannot be known yet, or is as it was. */
  readonly network: WantedNetwork | undefined;
  /** By name: the secrets to store. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Their names; in a dry run also of those that were not given. */
  readonly secretNames: readonly string[];
  /** The admin token, where this machine has it. */
  readonly adminToken: string | undefined;
  readonly isNewAdminToken: boolean;
  /** Of a controller that a server of the mesh is to host, where it is to be kept; without the identity in a dry run. */
  readonly newIdentity: { readonly identity: string | undefined } | undefined;
  readonly remarks: readonly string[];
  /** In a dry run: what has to be said before it can be done. */
  readonly missing: readonly string[];
}

/** What a decision is made of. */
export interface Given {
  readonly options: DeployOptions;
  readonly place: Place;
  readonly tracked: WranglerConfig;
  readonly edits: Edits;
  readonly account: string | undefined;
  readonly worker: SeenWorker;
  readonly questions: Questions | undefined;
}

/** Stands for what is not known yet, where the other settings are judged. */
const SOME_NETWORK = "8056c2e21c000001";
const NAMESPACES = 2 ** 31;

/** Decides what is to be done; asks for what was not said. Throws a Refused, a Missing or a Stopped. */
export async function decide(given: Given): Promise<Decided> {
  const { options, place, tracked, worker } = given;
  const questions = options.dryRun === true ? undefined : given.questions;
  const missing: string[] = [];
  const { settings, remarks } = await taken(given, questions, missing);
  const there = worker === "unknown" ? undefined : worker;
  const vars = { ...tracked.vars, ...settings.vars };
  const kind = vars["ZEROTIER_CONTROLLER"]?.trim() || "central-v1";
  const own = kind === "own" ? await ownController(place, there, options.dryRun === true) : undefined;
  if (own === undefined && kind !== "central-v1")
    throw new Refused(
      `npm run deploy does not set up a controller of the kind ${kind}: give --controller central-v1 or own; docs/controllers.md says what there is`,
    );
  const zerotierToken = own ? undefined : await tokenFor(options, worker, questions, missing);
  const controller =
    zerotierToken === undefined
      ? undefined
      : CONTROLLER_KINDS["central-v1"]({ url: vars["ZEROTIER_URL"] ?? "", token: zerotierToken, fetch });
  const network = own
    ? undefined
    : await networkFor(given, vars["ZEROTIER_NETWORK"] ?? "", controller, questions, missing);
  if (own?.network !== undefined) vars["ZEROTIER_NETWORK"] = own.network;
  const found = network !== undefined && "found" in network ? network.found : undefined;
  if (found !== undefined) vars["ZEROTIER_NETWORK"] = found.id;
  const ranges = rangesFor(
    settings.vars,
    { ZEROTIER_RANGE: tracked.vars["ZEROTIER_RANGE"] ?? "", DOCKER_POOL: tracked.vars["DOCKER_POOL"] ?? "" },
    found,
  );
  const { remarks: ofRanges, ...chosen } = ranges;
  Object.assign(vars, chosen);
  const path = adminTokenPath(options, place);
  const kept = keptAdminToken(path);
  const hasAdminToken = there?.secrets.includes("ADMIN_TOKEN") ?? false;
  const isNewAdminToken = kept === undefined && !hasAdminToken;
  const adminToken = kept ?? (isNewAdminToken ? newAdminToken() : undefined);
  judge(vars, { zerotierToken, own }, network);
  const { ZEROTIER_URL: controllerUrl = "" } = vars;
  if (own?.isNew === true && own.network === undefined)
    remarks.push(
      "the network's id follows from the controller's identity, which is made with the deployment",
    );
  if (own === undefined && URL.canParse(controllerUrl) && isReadable(controllerUrl))
    remarks.push(
      `ZEROTIER_URL ${controllerUrl} is not https: whoever is on the way reads the ZeroTier token`,
    );
  guard(place, vars["ZEROTIER_NETWORK"] ?? "", there, given.account);
  if (missing.length > 0 && options.dryRun !== true) throw new Missing(missing);
  const hasZerotierToken = there?.secrets.includes("ZEROTIER_TOKEN") ?? false;
  const isNews =
    zerotierToken !== undefined && settings.secrets["ZEROTIER_TOKEN"] !== digestOf(zerotierToken);
  const hasIdentity = there?.secrets.includes("CONTROLLER_IDENTITY") ?? false;
  const wantedSecrets = {
    ...(own || (hasZerotierToken && !isNews) ? {} : { ZEROTIER_TOKEN: zerotierToken }),
    ...(own === undefined || hasIdentity ? {} : { CONTROLLER_IDENTITY: own.identity }),
    ...(hasAdminToken ? {} : { ADMIN_TOKEN: adminToken }),
  };
  const wantedVars = { ...settings.vars, ...chosen, ZEROTIER_NETWORK: vars["ZEROTIER_NETWORK"] ?? "" };
  return {
    settings: { ...settings, vars: wantedVars },
    controller,
    network: settings.vars["ZEROTIER_NETWORK"] === vars["ZEROTIER_NETWORK"] && found ? undefined : network,
    secrets: Object.fromEntries(
      Object.entries(wantedSecrets).flatMap(([name, secret]) =>
        secret === undefined ? [] : [[name, secret]],
      ),
    ),
    secretNames: Object.keys(wantedSecrets),
    adminToken,
    isNewAdminToken,
    newIdentity: own?.isNew === true ? { identity: own.identity } : undefined,
    remarks: [...remarks, ...ofRanges],
    missing,
  };
}

/** The settings with what wrangler.jsonc or the Worker that is there say, and what was given. */
async function taken(
  { options, place, edits, tracked, worker, account }: Given,
  questions: Questions | undefined,
  missing: string[],
): Promise<{ settings: Settings; remarks: string[] }> {
  const remarks: string[] = [];
  const there = worker === "unknown" ? undefined : worker;
  if (there !== undefined && !there.isMeshboot) {
    throw new Refused(
      `There is a Worker ${place.name} at Cloudflare already, and it is none of Meshboot: give this deployment another --name`,
    );
  }
  const editedName = edits.name ?? tracked.name;
  const isEdited = !isUntouched(edits);
  const takesEdits = isEdited && !place.isKnown && editedName === place.name;
  if (takesEdits) {
    const words = [
      ...Object.keys(edits.vars),
      ...(edits.kv ? ["the KV namespace"] : []),
      ...Object.keys(edits.wrangler),
    ];
    remarks.push(
      `wrangler.jsonc was edited: ${words.join(", ")} taken over from it. They are kept in this deployment's settings from now on; afterwards: git checkout wrangler.jsonc`,
    );
  } else if (isEdited) {
    remarks.push(
      `wrangler.jsonc was edited, which this deployment takes nothing of: its settings are in ${place.shown}/settings.json`,
    );
  }
  const isFound = there !== undefined && !place.isKnown && !takesEdits;
  if (isFound) {
    remarks.push(`a Worker ${place.name} with Meshboot is there already: its settings are taken over`);
    if (options.takeOver !== true) {
      if (questions === undefined)
        missing.push(
          `--take-over, if the Meshboot that is there as ${place.name} is yours; another --name, if not`,
        );
      else if (!(await questions.confirm(`There is a Meshboot ${place.name} at Cloudflare. Take it over?`)))
        throw new Refused(`The Worker ${place.name} is left alone: give this deployment another --name`);
    }
  }
  const before = place.settings;
  const ofWorker = Object.fromEntries(
    Object.entries(isFound ? there.vars : {}).filter(([name]) => tracked.vars[name] !== undefined),
  );
  const kv = before.kv ?? (takesEdits ? edits.kv : undefined) ?? there?.kv;
  const givenUrl = options.url ?? before.url;
  const url = givenUrl === undefined ? undefined : workerUrl(givenUrl);
  return {
    remarks,
    settings: {
      ...before,
      ...(account !== undefined && { account }),
      ...(url !== undefined && { url }),
      ...(kv !== undefined && { kv }),
      rateLimits: Object.fromEntries(
        tracked.ratelimits.map(({ name }) => [
          name,
          before.rateLimits[name] ?? there?.rateLimits[name] ?? String(randomInt(1_000_000, NAMESPACES)),
        ]),
      ),
      vars: { ...(takesEdits ? edits.vars : {}), ...ofWorker, ...before.vars, ...givenVars(options) },
      wrangler: { ...(takesEdits ? edits.wrangler : {}), ...before.wrangler },
    },
  };
}

/** The ZeroTier token that was given, or that is asked for where the Worker has none yet. */
async function tokenFor(
  options: DeployOptions,
  worker: SeenWorker,
  questions: Questions | undefined,
  missing: string[],
): Promise<string | undefined> {
  const given = givenZerotierToken(options.zerotierTokenFile);
  if (given !== undefined) return given;
  if (worker !== undefined && worker !== "unknown" && worker.secrets.includes("ZEROTIER_TOKEN"))
    return undefined;
  if (questions !== undefined)
    return questions.secret("An API token of ZeroTier Central (my.zerotier.com, Account)?");
  missing.push(
    "the variable ZEROTIER_TOKEN or --zerotier-token-file FILE: an API token of ZeroTier Central (my.zerotier.com, Account)",
  );
  return undefined;
}

async function networkFor(
  { options }: Given,
  id: string,
  controller: ControllerAccount | undefined,
  questions: Questions | undefined,
  missing: string[],
): Promise<WantedNetwork | undefined> {
  const wish = { id: id === "" ? undefined : id.trim().toLowerCase(), newName: options.newNetwork };
  const chosen = controller && (await chooseNetwork(controller, wish, questions));
  if (chosen === undefined && wish.id === undefined && wish.newName === undefined)
    missing.push("--network ID of a private network there, or --new-network NAME to make one");
  return chosen ?? (wish.newName !== undefined && wish.id === undefined ? { make: wish.newName } : undefined);
}

/** Throws a Refused with every fault of the settings, and with what keeps the network from carrying the mesh. */
function judge(
  vars: Readonly<Record<string, string>>,
  { zerotierToken, own }: { zerotierToken: string | undefined; own: OwnController | undefined },
  network: WantedNetwork | undefined,
): void {
  const networkId = vars["ZEROTIER_NETWORK"] || SOME_NETWORK;
  const config = parseConfig({
    ...vars,
    ZEROTIER_NETWORK: networkId,
    ZEROTIER_TOKEN: zerotierToken ?? "kept-at-Cloudflare",
    CONTROLLER_IDENTITY: own?.identity ?? someIdentity(networkId),
    ADMIN_TOKEN: newAdminToken(),
  });
  const faults = config.ok ? networkFaults(network, config.value.pool) : config.error;
  if (faults.length === 0) return;
  throw new Refused(`The settings do not do:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
}

/** Stands for one that is not known here: of the controller that the network is of. */
function someIdentity(networkId: string): string {
  return `${networkId.slice(0, 10)}:0:${"0".repeat(128)}:${"0".repeat(128)}`;
}

function networkFaults(network: WantedNetwork | undefined, pool: Pool): readonly string[] {
  if (network === undefined || !("found" in network)) return [];
  const { faults } = compare(network.found.settings, pool);
  return faults;
}

/** Two deployments on one network would each lease the same subnets; another network would begin without leases. */
function guard(
  place: Place,
  network: string,
  there: DeployedWorker | undefined,
  account: string | undefined,
): void {
  const { account: before, deployed, kv } = place.settings;
  const isBegun = deployed !== undefined || kv !== undefined;
  if (isBegun && before !== undefined && account !== undefined && account !== before) {
    throw new Refused(
      `The deployment ${place.name} is in the account ${before}, and goes on there: another one in ${account} would give one subnet to two servers. Leave --account out, undo it first, or give another --name and network`,
    );
  }
  const other = network === "" ? undefined : place.otherOf(network);
  if (other !== undefined) {
    throw new Refused(
      `The network ${network} is served by the deployment ${other} already, and two of them would give one subnet to two servers: give --network another one, or --name ${other}`,
    );
  }
  const served = there?.vars["ZEROTIER_NETWORK"];
  if (served && served !== network) {
    throw new Refused(
      `The deployment ${place.name} serves the network ${served}, and on ${network || "another one"} it would begin without leases and keys: give another --name for that, or undo this one first`,
    );
  }
}
