// Reads the settings once, at the edge. A faulty configuration is refused as a whole, with every fault
// named: the variable, what is wrong with it, what to do. A secret's value is never repeated.
import { err, ok, type Result } from "../base/result.ts";
import { ADMIN_TOKEN_MOST, secretKind } from "../base/secret.ts";
import { type NetworkId, parseNetworkId } from "../lease/ids.ts";
import { makePool, type Pool } from "../lease/pool.ts";
import { type AccessSettings, readAccess } from "./access.ts";
import { CAPABILITIES } from "./capabilities.ts";
import {
  type ControllerSettings,
  type GivenController,
  type OwnController,
  readController,
  type Show,
} from "./controller-settings.ts";
import { LIMITS } from "./limits.ts";

/** The settings an operator gives; every one may be missing or wrong until `parseConfig` has read it. */
export interface Settings extends GivenController {
  readonly ZEROTIER_NETWORK?: string;
  readonly ZEROTIER_RANGE?: string;
  readonly DOCKER_POOL?: string;
  readonly NODE_PREFIX?: string;
  readonly ROUTE_LIMIT?: string;
  readonly ADMIN_TOKEN_OVERLAP?: string;
  readonly ACCESS_AUD?: string;
  readonly ACCESS_SCOPES?: string;
  /** Secret: what the operator's calls carry. */
  readonly ADMIN_TOKEN?: string;
}

/** A configuration that holds together. */
export interface Config {
  readonly networkId: NetworkId;
  readonly pool: Pool;
  readonly controller: ControllerSettings;
  /** How many managed routes the network may hold at most (ZeroTier sends a node the first 128). */
  readonly routeLimit: number;
  readonly adminToken: string;
  /** Hours for which the admin token before stays good when the settings have another one. */
  readonly adminTokenOverlap: number;
  /** Who may sign in by Cloudflare Access; null: nobody. */
  readonly access: AccessSettings | null;
}

/** The configuration, or all that is wrong with it. */
export type ConfigResult = Result<Config, readonly string[]>;

/** Characters. Every token has more: ZeroTier's 32, ours 26. A network id has 16, an IPv4 prefix at most 18. */
const LONGEST_SHOWN = 20;

export function parseConfig(settings: Settings): ConfigResult {
  const faults: string[] = [];
  const accessFaults: string[] = [];
  const show = quoting(settings);
  const networkId = readNetworkId(settings.ZEROTIER_NETWORK, show, faults);
  const controller = readController(settings, show, faults);
  const isOther = controller?.kind === "own" && networkId !== undefined && isOfOther(controller, networkId);
  if (isOther)
    faults.push(
      "ZEROTIER_NETWORK is no network of the controller whose identity CONTROLLER_IDENTITY is: its first ten digits have to be that one's address",
    );
  const adminToken = readAdminToken(settings.ADMIN_TOKEN, faults);
  const readInteger = integerReader(show, faults);
  const { routes } = CAPABILITIES[controller?.kind ?? "central-v1"];
  const nodePrefix = readInteger("NODE_PREFIX", settings.NODE_PREFIX, 24, 8, 28);
  const routeLimit = readInteger("ROUTE_LIMIT", settings.ROUTE_LIMIT, routes.usual, 1, routes.most);
  const access = readAccess(settings.ACCESS_AUD, settings.ACCESS_SCOPES, accessFaults);
  faults.push(...accessFaults);
  const { tokenOverlapHours, tokenOverlapHoursMost } = LIMITS;
  const adminTokenOverlap = readInteger(
    "ADMIN_TOKEN_OVERLAP",
    settings.ADMIN_TOKEN_OVERLAP,
    tokenOverlapHours,
    0,
    tokenOverlapHoursMost,
  );
  const pool = readPool(settings, nodePrefix, show, faults);
  if (
    networkId === undefined ||
    controller === undefined ||
    isOther ||
    adminToken === undefined ||
    routeLimit === undefined ||
    adminTokenOverlap === undefined ||
    accessFaults.length > 0 ||
    pool === undefined
  )
    return err(faults);
  return ok({ networkId, pool, controller, routeLimit, adminToken, adminTokenOverlap, access });
}

/**
 * Faults are published (`/healthz`), and the value of a variable may be a secret that was pasted into the wrong one. So only a
 * value is repeated that is shorter than any token is, and holds none.
 */
function quoting({ ZEROTIER_TOKEN, ZEROTIER_HEADERS, CONTROLLER_IDENTITY, ADMIN_TOKEN }: Settings): Show {
  const headers = (ZEROTIER_HEADERS ?? "").split("\n").map((line) => line.replace(/^[^:]*:/, ""));
  const secrets = [ZEROTIER_TOKEN, CONTROLLER_IDENTITY, ADMIN_TOKEN, ...headers]
    .map((secret) => secret?.trim())
    .filter((secret) => !!secret);
  return (value) =>
    value.length > LONGEST_SHOWN || secrets.some((secret) => secret !== undefined && value.includes(secret))
      ? `a text of ${value.length} characters`
      : JSON.stringify(value);
}

/** A network's id begins with the address of its controller. */
function isOfOther({ identity }: OwnController, networkId: NetworkId): boolean {
  return networkId.slice(0, 10) !== identity.slice(0, 10);
}

function readNetworkId(text: string | undefined, show: Show, faults: string[]): NetworkId | undefined {
  if (!text) {
    faults.push(
      "ZEROTIER_NETWORK is not set: give the 16 hex digits of your network, from my.zerotier.com or the list of networks",
    );
    return undefined;
  }
  const wanted = text.trim().toLowerCase();
  const networkId = parseNetworkId(wanted);
  if (networkId === undefined) faults.push(`ZEROTIER_NETWORK is ${show(text)}: ${networkIdFault(wanted)}`);
  return networkId;
}

function networkIdFault(text: string): string {
  if (!/^[0-9a-f]{16}$/.test(text))
    return "a network id has exactly 16 hex digits; copy it from ZeroTier Central";
  if (text.startsWith("ff"))
    return "ids that begin with ff are of ad-hoc networks, which have no controller that could let servers in; make a network at my.zerotier.com";
  return "no network has this id; copy yours from ZeroTier Central";
}

function readAdminToken(text: string | undefined, faults: string[]): string | undefined {
  const token = text?.trim();
  const remedy =
    "make one with `printf 'mba_%s\\n' \"$(openssl rand -base64 16 | tr '+/' '-_' | tr -d =)\"`, then `npx wrangler secret put ADMIN_TOKEN`";
  if (!token) {
    faults.push(`ADMIN_TOKEN is not set: ${remedy}`);
    return undefined;
  }
  if (secretKind(token) !== "mba") {
    faults.push(
      `ADMIN_TOKEN is not of the form mba_ and 22 to ${ADMIN_TOKEN_MOST} letters, digits, '-' or '_' (128 random bits): ${remedy}`,
    );
    return undefined;
  }
  return token;
}

function integerReader(show: Show, faults: string[]) {
  return (
    name: string,
    text: string | undefined,
    byDefault: number,
    least: number,
    most: number,
  ): number | undefined => {
    const wanted = text?.trim() || String(byDefault);
    const value = /^\d{1,4}$/.test(wanted) ? Number(wanted) : Number.NaN;
    if (value >= least && value <= most) return value;
    faults.push(`${name} is ${show(wanted)}: give a whole number from ${least} to ${most}`);
    return undefined;
  };
}

function readPool(
  settings: Settings,
  nodePrefix: number | undefined,
  show: Show,
  faults: string[],
): Pool | undefined {
  const zerotier = settings.ZEROTIER_RANGE?.trim() || "10.147.17.0/24";
  const docker = settings.DOCKER_POOL?.trim() || "172.28.0.0/16";
  // The fault of a range quotes it.
  const unfit = Object.entries({ ZEROTIER_RANGE: zerotier, DOCKER_POOL: docker }).filter(
    ([, value]) => show(value) !== JSON.stringify(value),
  );
  faults.push(
    ...unfit.map(([name, value]) => {
      const example = name === "DOCKER_POOL" ? "172.28.0.0/16" : "10.147.17.0/24";
      return `${name} is ${show(value)}: give an IPv4 prefix, such as ${example}`;
    }),
  );
  if (nodePrefix === undefined || unfit.length > 0) return undefined;
  const made = makePool({ zerotier, docker, nodePrefix });
  if (made.ok) return made.value;
  faults.push(...made.error.map((fault) => `ZEROTIER_RANGE, DOCKER_POOL, NODE_PREFIX: ${fault}`));
  return undefined;
}
