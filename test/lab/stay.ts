// `node test/lab/stay.ts [--layout=bridge] [--ipv6nat=off] web1=docker db1=bare …`: boots servers, takes them into a
// mesh and keeps them for trying things by hand until Ctrl-C. `name=image,alone` boots one without user-data.
import { importImage, startContainer } from "./containers.ts";
import { Lab } from "./lab.ts";
import { untilInMesh } from "./mesh-node.ts";
import { IMAGE_KINDS, type ImageKind } from "./rootfs.ts";
import { Servers } from "./servers.ts";

const given = process.argv.slice(2);
const settings = Object.fromEntries(
  given.filter((word) => word.startsWith("--")).map((word) => word.slice(2).split("=", 2)),
);
const orders = given
  .filter((word) => !word.startsWith("--"))
  .map((word) => {
    const [name = "", kind = "", alone] = word.split(/[=,]/);
    const image = IMAGE_KINDS.find((known): known is ImageKind => known === kind);
    if (image === undefined || name === "")
      throw new Error(`${word} is no server: name=image, with image one of ${IMAGE_KINDS.join(", ")}`);
    return { name, image, isAlone: alone === "alone" };
  });
if (orders.length === 0) throw new Error("no server: node test/lab/stay.ts web1=docker db1=bare");

const lab = await Lab.open();
const servers = await Servers.start(lab);
process.once("SIGINT", () => {
  servers.close();
  lab.close().finally(() => process.exit(0));
});
await servers.worker.start();
const guests = await Promise.all(
  orders.map(async ({ name, image, isAlone }, index) => {
    const userData = isAlone ? {} : { userData: await servers.userData({ name, ...settings }) };
    const guest = await lab.order({ name, image, index: index + 1, ...userData });
    await guest.boot();
    await guest.settled();
    if (!isAlone) await untilInMesh(guest, 240);
    return { guest, isAlone };
  }),
);
for (const { guest, isAlone } of guests) {
  if (!isAlone) {
    await importImage(guest);
    const { ipv4, ipv6 } = await startContainer(guest, "web");
    console.log(`${guest.name}: container web at ${ipv4} and ${ipv6}`);
  }
  console.log(`${guest.name}: ${guest.enterCommand("bash")}`);
}
console.log(`the internet: nsenter --net=/run/netns/${lab.network.internet} bash\nCtrl-C ends all of it`);
setInterval(() => undefined, 3_600_000);
