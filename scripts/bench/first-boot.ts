import { writeFileSync } from "node:fs";
import { optionsSchema } from "../../cloud-init/options.ts";
import { run } from "../../test/lab/command.ts";
import type { Guest } from "../../test/lab/guest.ts";
import { Lab } from "../../test/lab/lab.ts";
import { meshStatus } from "../../test/lab/mesh-node.ts";
import { checkRequirements } from "../../test/lab/requirements.ts";
import type { Image, ImageKind } from "../../test/lab/rootfs.ts";
import { Servers } from "../../test/lab/servers.ts";
import { holds, not, until } from "../../test/lab/until.ts";
import { readBakeScript } from "../image/bake.ts";
import { median } from "./load.ts";

/** The network waits a random 1 to 2 s at each boot until its IPv6 address is in use: one boot of each says little. */
const ROUNDS = 3;

/**
 * First boot of a server made of a golden image ÷ that of a bare one by cloud-config, medians of three in turn, each from
 * systemd's start to the end of the agent's first run; packages come from a cache that is warm. Undefined, and says why,
 * where servers cannot boot.
 */
export async function measureFirstBoot(): Promise<number | undefined> {
  try {
    checkRequirements();
  } catch (error) {
    console.error(
      `bench: SKIPPED: golden_vs_vanilla_first_boot. ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
  const lab = await Lab.open();
  let servers: Servers | undefined;
  try {
    servers = await Servers.start(lab);
    await servers.worker.start();
    // The baking also warms the cache of packages.
    const image = await bake(lab, servers);
    const bare: number[] = [];
    const baked: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      bare.push(await firstBoot(lab, servers, "vanilla", 2 * round + 2, "bare"));
      baked.push(await firstBoot(lab, servers, "golden", 2 * round + 3, image));
    }
    console.error(`bench: first boots: golden ${seconds(baked)}, vanilla ${seconds(bare)}`);
    return median(baked) / median(bare);
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

const seconds = (times: readonly number[]) => `${times.map((time) => time.toFixed(1)).join(", ")} s`;

async function firstBoot(
  lab: Lab,
  servers: Servers,
  kind: "vanilla" | "golden",
  index: number,
  image: ImageKind | Image,
): Promise<number> {
  const userData = await servers.userData({ form: kind === "golden" ? "golden" : "cloud-config" });
  const guest = await lab.order({ name: `${kind}${index}`, index, image, userData });
  // What was written before is on the disk, so that no boot pays for the one before it.
  await run("sync", []);
  const took = await firstBootSeconds(guest);
  await guest.powerOff();
  return took;
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
