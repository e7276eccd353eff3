import { writeFileSync } from "node:fs";
import { optionsSchema } from "../../cloud-init/options.ts";
import { run } from "../../test/lab/command.ts";
import type { Guest } from "../../test/lab/guest.ts";
import { Lab } from "../../test/lab/lab.ts";
import { meshStatus } from "../../test/lab/mesh-node.ts";
import { checkRequirements } from "../../test/lab/requirements.ts";
import type { Image, ImageKind } from "../../test/lab/rootfs.ts";
import { advertiseRouter } from "../../test/lab/router.ts";
import { Servers } from "../../test/lab/servers.ts";
import { GATEWAY_IPV4, internetAddress } from "../../test/lab/topology.ts";
import { holds, not, until } from "../../test/lab/until.ts";
import { readBakeScript } from "../image/bake.ts";
import { median } from "./load.ts";

/** The ratios by how a server has its IPv6 address; null: not measured. */
export interface FirstBoots {
  /** By router advertisements, for which no boot waits. */
  readonly advertised: number | null;
  /** Static: both boots wait a random 1 to 2 s until no other host has that address (RFC 4862, 5.4). */
  readonly fixed: number | null;
}

/**
 * First boot of a server made of a golden image ÷ that of a bare one by cloud-config, medians of `rounds` in turn (boots of one
 * kind differ by a second), each from systemd's start to the end of the agent's first run; packages come from a cache that
 * is warm. Says why where servers cannot boot.
 */
export async function measureFirstBoots(rounds: number): Promise<FirstBoots> {
  try {
    checkRequirements();
  } catch (error) {
    console.error(`bench: SKIPPED: first boots. ${error instanceof Error ? error.message : error}`);
    return { advertised: null, fixed: null };
  }
  const lab = await Lab.open();
  let servers: Servers | undefined;
  try {
    servers = await Servers.start(lab);
    await servers.worker.start();
    // The baking also warms the cache of packages.
    const image = await bake(lab, servers);
    const order = orders(lab, servers);
    const fixed = await ratio("static IPv6", rounds, (kind) =>
      order({ kind, image: kind === "golden" ? image : "bare" }),
    );
    advertiseRouter(lab);
    const advertised = await ratio("IPv6 by router advertisements", rounds, (kind) =>
      order({ kind, image: kind === "golden" ? image : "bare", isAdvertised: true }),
    );
    return { advertised, fixed };
  } finally {
    servers?.close();
    await lab.close();
  }
}

async function bake(lab: Lab, { repository }: Servers) {
  const master = await lab.order({ name: "master", index: 1, image: "bare" });
  await master.boot();
  await master.settled();
  const options = optionsSchema.parse({
    zerotierRepository: repository.url,
    zerotierFingerprint: repository.fingerprint,
  });
  writeFileSync(`${master.root}/root/bake.sh`, readBakeScript(options));
  await master.sh("sh /root/bake.sh; rm /root/bake.sh");
  await master.powerOff();
  return master.intoImage();
}

type Kind = "golden" | "vanilla";

const seconds = (times: readonly number[]) => `${times.map((time) => time.toFixed(1)).join(", ")} s`;

async function ratio(
  network: string,
  rounds: number,
  order: (kind: Kind) => Promise<Guest>,
): Promise<number> {
  const times: Record<Kind, number[]> = { vanilla: [], golden: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of ["vanilla", "golden"] as const) {
      const guest = await order(kind);
      // What was written before is on the disk, so that no boot pays for the one before it.
      await run("sync", []);
      times[kind].push(await firstBootSeconds(guest));
      await guest.powerOff();
    }
  }
  console.error(
    `bench: first boots, ${network}: golden ${seconds(times.golden)}, vanilla ${seconds(times.vanilla)}`,
  );
  return median(times.golden) / median(times.vanilla);
}

/** Orders one server after the other. */
function orders(lab: Lab, servers: Servers) {
  let index = 1;
  return async (server: { kind: Kind; image: ImageKind | Image; isAdvertised?: boolean }): Promise<Guest> => {
    index += 1;
    const userData = await servers.userData({ form: server.kind === "golden" ? "golden" : "cloud-config" });
    return lab.order({
      ...{ name: `${server.kind}${index}`, index, image: server.image, userData },
      ...(server.isAdvertised ? { networkConfig: ipv4Network(index) } : {}),
    });
  };
}

function ipv4Network(index: number) {
  const addresses = [`${internetAddress(index).ipv4}/24`];
  return { version: 2, ethernets: { eth0: { addresses, gateway4: GATEWAY_IPV4 } } };
}

/** Boots it; seconds by its own clock, so that looking at it counts as little as can be. */
async function firstBootSeconds(guest: Guest): Promise<number> {
  await guest.boot();
  const started = Number(
    await guest.run("systemctl", "show", "--value", "-p", "UserspaceTimestampMonotonic"),
  );
  const ended = await until(`${guest.name} to be in the mesh`, 240, async () => {
    const text = await guest.sh(
      "test -e /run/meshboot/applied; systemctl show --value -p ActiveState -p InactiveEnterTimestampMonotonic meshboot",
    );
    const [state, time] = text.split("\n").sort().reverse();
    return state === "inactive" ? holds(Number(time)) : not(text);
  });
  const { state } = await meshStatus(guest);
  if (state !== "active") throw new Error(`${guest.name} is ${state}`);
  return (ended - started) / 1e6;
}
