import { writeFileSync } from "node:fs";
import { optionsSchema } from "../../cloud-init/options.ts";
import type { Guest } from "../../test/lab/guest.ts";
import { Lab } from "../../test/lab/lab.ts";
import { meshStatus } from "../../test/lab/mesh-node.ts";
import { checkRequirements } from "../../test/lab/requirements.ts";
import { Servers } from "../../test/lab/servers.ts";
import { holds, not, until } from "../../test/lab/until.ts";
import { readBakeScript } from "../image/bake.ts";

/**
 * First boot of a server made of a golden image ÷ that of a bare one by cloud-config, both from systemd's start to the
 * end of the agent's first run, in the same run on the same machine; packages come from a cache that is warm. Undefined,
 * and says why, where servers cannot boot.
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
    const vanilla = await lab.order({
      name: "vanilla",
      index: 2,
      image: "bare",
      userData: await servers.userData({ form: "cloud-config" }),
    });
    const bare = await firstBootSeconds(vanilla);
    await vanilla.powerOff();
    const golden = await lab.order({
      name: "golden",
      index: 3,
      image,
      userData: await servers.userData({ form: "golden" }),
    });
    const baked = await firstBootSeconds(golden);
    console.error(`bench: first boot: golden ${baked.toFixed(1)} s, vanilla ${bare.toFixed(1)} s`);
    return baked / bare;
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
