import { networkInterfaces } from "node:os";
import { contains, encloses, parseAddress, parsePrefix } from "../../worker/address/prefix.ts";
import { chooseRanges, clashes, type OtherNetwork, otherNetworks, type Ranges } from "./choose-ranges.ts";
import type { ControllerAccount, FoundNetwork } from "./controller/controller.ts";
import type { Questions } from "./questions.ts";
import { Refused } from "./refused.ts";

/** The network that a deployment is to serve: one that is there, or one to be made. */
export type WantedNetwork = { readonly found: FoundNetwork } | { readonly make: string };

/** What was said about the network. */
export interface NetworkWish {
  readonly id: string | undefined;
  /** The name of one to be made. */
  readonly newName: string | undefined;
}

const NEW = "new";

/**
 * The network among those at the controller. One that is to be made and is there already, from a run that was cut off, is
 * found. Undefined when it was not said and nobody can be asked.
 */
export async function chooseNetwork(
  controller: ControllerAccount,
  wish: NetworkWish,
  questions: Questions | undefined,
): Promise<WantedNetwork | undefined> {
  const networks = await controller.networks();
  if (wish.id !== undefined) {
    const found = networks.find(({ id }) => id === wish.id);
    if (found !== undefined) return { found };
    const list = networks.map(({ id, settings }) => `${id} (${settings.name})`).join(", ");
    throw new Refused(
      `--network ${wish.id}: the token's account has no such network; it has ${list || "none"}. Give one of these, or --new-network NAME`,
    );
  }
  if (wish.newName !== undefined) return wanted(networks, wish.newName);
  if (questions === undefined) return undefined;
  const chosen = await questions.choice("Which ZeroTier network is to carry the mesh?", [
    ...networks.map(({ id, settings }) => ({ value: id, label: `${id} ${settings.name}` })),
    { value: NEW, label: "a new one, private" },
  ]);
  const found = networks.find(({ id }) => id === chosen);
  if (found !== undefined) return { found };
  const check = (answer: string) => (answer.trim() === "" ? "Give it a name" : undefined);
  return wanted(networks, await questions.text("What is the new network to be called?", check));
}

function wanted(networks: readonly FoundNetwork[], newName: string): WantedNetwork {
  const same = networks.filter(({ settings }) => settings.name === newName);
  const [found] = same;
  if (same.length > 1) {
    const list = same.map(({ id }) => id).join(", ");
    throw new Refused(
      `--new-network ${newName}: several have that name already: give one of them as --network (${list})`,
    );
  }
  return found === undefined ? { make: newName } : { found };
}

/** The ranges: those that were given, or ones that keep clear of this machine's networks and of the routes of the network. */
export function rangesFor(
  given: Partial<Ranges>,
  usual: Ranges,
  network: FoundNetwork | undefined,
): Ranges & { readonly remarks: readonly string[] } {
  const here = thisMachine();
  const ranges = chooseRanges(given, usual, [...here, ...foreignRoutes(usual, network)]);
  const remarks = (["ZEROTIER_RANGE", "DOCKER_POOL"] as const).flatMap((name) => {
    const range = ranges[name];
    if (given[name] === undefined)
      return range === usual[name] ? [] : [`${name} is not the usual ${usual[name]}, which is in use`];
    return clashes(range, here).map(
      ({ what }) =>
        `${name} ${range} shares addresses with ${what}: this machine could not be a server of the mesh`,
    );
  });
  return { ...ranges, remarks };
}

/** The networks that this machine is attached to, but for ZeroTier's: one of these may be the mesh itself. */
function thisMachine(): OtherNetwork[] {
  return otherNetworks(
    Object.entries(networkInterfaces())
      .filter(([name]) => !name.startsWith("zt") && !name.startsWith("lo"))
      .flatMap(([name, addresses = []]) =>
        addresses.map(({ cidr }) => ({ cidr: cidr ?? "", what: `${name} of this machine` })),
      ),
  );
}

/** The network's routes that no mesh of this kind could have set: whoever built one by hand keeps its ranges. */
function foreignRoutes(usual: Ranges, network: FoundNetwork | undefined): OtherNetwork[] {
  const range = parsePrefix(usual.ZEROTIER_RANGE);
  const pool = parsePrefix(usual.DOCKER_POOL);
  const routes = network?.settings.routes ?? [];
  return otherNetworks(
    routes
      .filter(({ target, via }) => {
        if (via === null) return target !== usual.ZEROTIER_RANGE;
        const [prefix, gateway] = [parsePrefix(target), parseAddress(via)];
        return !(prefix && gateway && pool && range && encloses(pool, prefix) && contains(range, gateway));
      })
      .map(({ target }) => ({ cidr: target, what: `the route ${target} of the network` })),
  );
}
