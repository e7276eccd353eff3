import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { askPacker, ImageError, type Packer } from "./packer.ts";
import { makeSeed } from "./seed.ts";
import {
  distributions,
  installPlugin,
  sources,
  templateFiles,
  templateFor,
  variableArguments,
} from "./templates.ts";

/** Credentials that a source wants to see before it looks at anything else. Nothing is asked of any cloud. */
const CREDENTIALS = {
  HCLOUD_TOKEN: "none",
  DIGITALOCEAN_API_TOKEN: "none",
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
  VULTR_API_KEY: "none",
  LINODE_TOKEN: "none",
};

/** The sources that a Packer before 1.7 may not know: they never were built into it, or not into Debian's. */
const NOT_BUILT_IN: readonly string[] = ["linode", "vultr"];

export type Outcome = "valid" | "unknown-source" | "no-plugin" | "invalid";

/** How one template stands with one distribution, and what Packer said. */
export interface Validated {
  readonly source: string;
  readonly distribution: string;
  readonly outcome: Outcome;
  readonly output: string;
}

/** What each source needs for its template to be complete, without access to any network. */
function standInVariables(source: string, scratch: string, key: string, seed: string): string[] {
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

/** What `packer fmt` would write differently, as a diff; empty when there is nothing. */
export function formatFaults(packer: Packer): string {
  return templateFiles()
    .map((file) => askPacker(packer, ["fmt", "-check", "-diff", file]))
    .map(({ ok, output }) => (ok ? "" : output))
    .join("");
}

function pluginFault(packer: Packer, source: string, template: string): string | undefined {
  try {
    installPlugin(packer, source, template);
    return undefined;
  } catch (error) {
    if (error instanceof ImageError) return error.message;
    throw error;
  }
}

/**
 * Validates every template with every distribution. A source that this Packer does not know, or whose plugin cannot
 * be installed, is not taken for an invalid one.
 */
export async function* validateAll(packer: Packer, bake: string, scratch: string): AsyncGenerator<Validated> {
  const { seed, key } = makeSeed(scratch);
  for (const source of sources()) {
    const template = templateFor(packer, source, scratch);
    const fault = pluginFault(packer, source, template);
    for (const distribution of distributions()) {
      // Lets a signal through.
      await setImmediate();
      if (fault !== undefined) {
        yield { source, distribution, outcome: "no-plugin", output: fault };
        continue;
      }
      const variables = [`bake=${bake}`, `out=${scratch}`, ...standInVariables(source, scratch, key, seed)];
      const { ok, output } = askPacker(
        packer,
        ["validate", ...variableArguments(distribution, variables), template],
        CREDENTIALS,
      );
      const isUnknown =
        !packer.hasInit && NOT_BUILT_IN.includes(source) && /Unknown source type/.test(output);
      yield {
        source,
        distribution,
        outcome: ok ? "valid" : isUnknown ? "unknown-source" : "invalid",
        output,
      };
    }
  }
}
