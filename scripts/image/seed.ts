import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ImageError } from "./packer.ts";

/**
 * A key for the duration of the build, and the NoCloud folder that lets it in as the distribution's user. The comment
 * `packer_` is what the agent's clean-up knows such keys by. Ed25519: Packer 1.6 signs with RSA keys by SHA-1 alone, which
 * OpenSSH refuses since 8.8.
 */
export function makeSeed(scratch: string): { readonly seed: string; readonly key: string } {
  const key = join(scratch, "key");
  const run = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "packer_meshboot", "-f", key], {
    encoding: "utf8",
  });
  if (run.status !== 0) {
    throw new ImageError(
      `ssh-keygen makes no key: ${run.error?.message ?? run.stderr.trim()}. Install openssh-client`,
    );
  }
  const seed = join(scratch, "seed");
  mkdirSync(seed);
  writeFileSync(join(seed, "meta-data"), "instance-id: packer\n");
  writeFileSync(join(seed, "vendor-data"), "");
  writeFileSync(
    join(seed, "user-data"),
    `#cloud-config\nssh_authorized_keys:\n  - ${readFileSync(`${key}.pub`, "utf8").trim()}\n`,
  );
  return { seed, key };
}
