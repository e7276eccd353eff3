import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { run } from "../lab/command.ts";
import type { Lab } from "../lab/lab.ts";
import { Images } from "../lab/rootfs.ts";

/** A disk image, and the kernel and initrd that are on it: without a boot loader the emulator is given them. */
export interface Disk {
  readonly file: string;
  readonly format: "raw" | "qcow2";
  readonly kernel: string;
  readonly initrd: string;
}

/** The kernel's command line for such a disk. */
export const KERNEL_ARGUMENTS = "root=LABEL=root rw console=ttyS0 net.ifnames=0 mitigations=off";

/** Makes a disk of Debian 12 with a kernel of its own, in a folder. */
export async function makeDisk(lab: Lab, folder: string, kind: "bare" | "docker"): Promise<Disk> {
  const tree = `${folder}/tree`;
  mkdirSync(tree, { recursive: true });
  const image = await new Images(lab.journal).getWithKernel(kind);
  lab.journal.mount(tree);
  await run("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${image.join(":")}`, tree]);
  for (const name of readdirSync(`${tree}/boot`)) {
    const [kind] = name.split("-");
    if (kind === "vmlinuz" || kind === "initrd.img")
      copyFileSync(`${tree}/boot/${name}`, `${folder}/${kind}`);
  }
  await run("mke2fs", ["-q", "-t", "ext4", "-L", "root", "-d", tree, `${folder}/disk`, "4G"], {
    timeoutMs: 600_000,
  });
  await run("umount", [tree]);
  return {
    file: `${folder}/disk`,
    format: "raw",
    kernel: `${folder}/vmlinuz`,
    initrd: `${folder}/initrd.img`,
  };
}
