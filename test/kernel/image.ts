// `npm run -s test:kernel-image`: Packer's qemu source bakes a disk with Debian's own kernel, in an emulated computer; then
// a computer boots from what came out, with user-data of the form golden. Prints what was seen as Markdown (progress and
// Packer's own words go to stderr). Ends with 1 when something is not as it has to be. See docs/image-build.md.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { imageCommand } from "../lab/image-command.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { type Disk, KERNEL_ARGUMENTS, makeDisk } from "./disk.ts";
import { checkEmulator, Machine } from "./machine.ts";
import { Showing } from "./showing.ts";

const showing = new Showing();

/** Runs `npm run image` where the lab's internet is; gives the folder with what came out. */
async function build(lab: Lab, servers: Servers, disk: Disk): Promise<string> {
  const out = `${lab.directory}/image`;
  const qemu = [
    ["-kernel", disk.kernel],
    ["-initrd", disk.initrd],
    ["-append", KERNEL_ARGUMENTS],
    ["-cpu", "max"],
    ["-accel", "tcg,thread=multi"],
  ];
  const variables = [
    `image_url=${disk.file}`,
    "image_checksum=none",
    "accelerator=none",
    "disk_size=4G",
    `qemu_arguments=${JSON.stringify(qemu)}`,
  ];
  const [command, args] = imageCommand(lab, servers, [
    ...["qemu", "debian-12", "--out", out],
    ...variables.flatMap((text) => ["--var", text]),
  ]);
  // Not the synchronous one: Debian's mirror is served by this process.
  const packer = spawn(command, args, { stdio: ["ignore", 2, 2], cwd: lab.directory });
  const [code] = await once(packer, "exit");
  if (code !== 0) throw new Error(`npm run image ended with ${code}: see above`);
  return out;
}

checkEmulator();
const lab = await Lab.open();
const servers = await Servers.start(lab);
let machine: Machine | undefined;
try {
  await servers.worker.start();
  showing.progress("makes the disk that stands for the distribution's cloud image");
  const folder = `${lab.directory}/disk`;
  mkdirSync(folder);
  const disk = await makeDisk(lab, folder, "bare");
  showing.progress("Packer builds");
  const began = showing.seconds();
  const out = await build(lab, servers, disk);
  const built = showing.seconds() - began;
  const [name = "none"] = readdirSync(`${out}/qemu`);
  console.log(`## Built\n\nIn ${built} s: \`${name}\`, \`image.json\`, \`image.packages\`.\n`);
  console.log(`\`\`\`json\n${readFileSync(`${out}/image.json`, "utf8").trim()}\n\`\`\`\n`);

  machine = await Machine.start(lab, {
    name: "vm1",
    index: 2,
    disk: { ...disk, file: `${out}/qemu/${name}`, format: "qcow2" },
    userData: await servers.userData({ form: "golden", name: "vm1" }),
  });
  const vm = machine;
  const switchedOn = showing.seconds();
  showing.progress("a machine boots from it");
  await vm.answers();
  const answers = showing.seconds() - switchedOn;
  await vm.settled();
  await untilInMesh(vm, 900);
  const inMesh = showing.seconds() - switchedOn;
  showing.progress("the machine is in the mesh");
  await showing.look(
    vm,
    "Booted without a fault",
    "cloud-init status; systemctl is-system-running; systemctl --failed --no-legend; uname -r",
    /^status: done\nrunning\n.*cloud-amd64$/,
  );
  await showing.look(vm, "What the agent did", "journalctl -u meshboot -o cat --no-pager", /slot 1:/);
  await showing.look(
    vm,
    "Nothing was downloaded",
    "ls -A /var/lib/apt/lists /var/cache/apt/archives | grep -v : | tr -d '\\n'; echo .",
    /^\.$/,
  );
  await showing.look(
    vm,
    "Nobody's key of the build is left",
    "grep -c packer_ /home/debian/.ssh/authorized_keys /root/.ssh/authorized_keys || :",
    /^(\S+:0\n?){1,2}$/,
  );
  await showing.look(vm, "Status", "meshboot status", /rules +in place/);
  await showing.look(vm, "Doctor", "meshboot doctor || :", /healthy|warnings/);
  console.log(`## Times

| what                                     | seconds |
| ---------------------------------------- | ------- |
| Packer: from its start to the image      | ${built} |
| first boot: ssh answers                  | ${answers} |
| first boot: in the mesh                  | ${inMesh} |
`);
} finally {
  servers.close();
  if (machine && showing.faults.length > 0) console.error(readFileSync(machine.console, "utf8").slice(-4000));
  await lab.close();
}
showing.end();
