import { dump } from "js-yaml";
import { type Server, serverFiles, startCommands } from "../server-files.ts";

/** A cloud-config document, as far as this program writes one. */
export interface CloudConfig {
  readonly merge_how?: readonly { readonly name: string; readonly settings: readonly string[] }[];
  readonly write_files: readonly {
    readonly path: string;
    readonly permissions?: string;
    readonly append?: boolean;
    readonly content: string;
  }[];
  /** A text is for a shell. */
  readonly runcmd: readonly (string | readonly string[])[];
}

/** At a first boot nobody is there to agree, and what runs was started minutes ago by the server's own user-data. */
const AGREE = ["mkdir -p /run/meshboot", ": >/run/meshboot/restart-docker"];

/**
 * The document that sets up a server. cloud-init joins all of `runcmd` into one script, whose last command's
 * status alone counts: so ours is a single command, under `set -e`, and comes last.
 */
export function cloudConfig(server: Server): CloudConfig {
  return {
    write_files: serverFiles(server).map(({ path, mode, content }) => ({
      path,
      // 0644 is cloud-init's own default.
      ...(mode === "0644" ? {} : { permissions: mode }),
      content,
    })),
    runcmd: [["sh", "-euc", `${[...AGREE, ...startCommands(server.agent)].join("\n")}\n`]],
  };
}

/** The document as user-data, in YAML; lines are never folded. */
export function renderCloudConfig(document: CloudConfig): string {
  return `#cloud-config\n${dump(document, { lineWidth: -1, noRefs: true })}`;
}
