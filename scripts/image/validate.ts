import { join } from "node:path";
import { askPacker, type Packer } from "./packer.ts";
import { makeSeed } from "./seed.ts";
import { distributions, installPlugin, sources, templateFor, variableArguments } from "./templates.ts";

/** Credentials that a source wants to see before it looks at anything else. Nothing is asked of any cloud. */
const CREDENTIALS = {
  HCLOUD_TOKEN: "none",
  DIGITALOCEAN_API_TOKEN: "none",
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
  VULTR_API_KEY: "none",
  LINODE_TOKEN: "none",
};

/** How one template stands with one distribution: `undefined` as `fault` when all is well. */
export interface Validated {
  readonly source: string;
  readonly distribution: string;
  readonly outcome: "valid" | "unknown-source" | "invalid";
  readonly output: string;
}

/** What each source needs so that its template is whole, without a look at any network. */
function variablesOf(source: string, scratch: string, key: string, seed: string): string[] {
  if (source === "null") return ["ssh_host=127.0.0.1"];
  if (source === "qemu")
    return [
      `ssh_private_key_file=${key}`,
      `seed=${seed}`,
      "image_checksum=none",
      `out=${join(scratch, "none")}`,
    ];
  return source === "vultr" ? ["os_id=1"] : [];
}

/** Validates every template with every distribution. A source that this Packer does not know is told apart. */
export function* validateAll(packer: Packer, bake: string, scratch: string): Generator<Validated> {
  const { seed, key } = makeSeed(scratch);
  for (const source of sources()) {
    const template = templateFor(packer, source, scratch);
    installPlugin(packer, source, template);
    for (const distribution of distributions()) {
      const variables = [`bake=${bake}`, `out=${scratch}`, ...variablesOf(source, scratch, key, seed)];
      const { ok, output } = askPacker(
        packer,
        ["validate", ...variableArguments(distribution, variables), template],
        CREDENTIALS,
      );
      const isUnknown = /Unknown source type/.test(output);
      yield {
        source,
        distribution,
        outcome: ok ? "valid" : isUnknown ? "unknown-source" : "invalid",
        output,
      };
    }
  }
}
