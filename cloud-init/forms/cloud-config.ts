import { dump } from "js-yaml";
import { AGREE, type Server, serverFiles, startCommands } from "../server-files.ts";

/** A cloud-config document, as far as this program writes one. */
export interface CloudConfig {
  readonly write_files: readonly {
    readonly path: string;
    readonly permissions?: string;
    readonly append?: boolean;
    readonly content: string;
  }[];
  /** A text is for a shell. */
  readonly runcmd?: readonly string[];
}

/**
 * What starts the agent: cloud-init runs what lies in this folder at the end of each boot. It takes itself away when it
 * has succeeded. `runcmd` would be run at the very first boot alone, also where the files came at a later one, because
 * the Worker was away; and whoever adds a `runcmd` of their own to what they paste would replace ours.
 */
const START = "/var/lib/cloud/scripts/per-boot/meshboot";

/** The document that sets up a server. */
export function cloudConfig(server: Server): CloudConfig {
  const start = ["#!/bin/sh -eu", AGREE, ...startCommands(server.agent), 'rm "$0"'];
  return {
    write_files: [
      ...serverFiles(server),
      { path: START, mode: "0755", content: `${start.join("\n")}\n` } as const,
    ].map(({ path, mode, content }) => ({
      path,
      // 0644 is cloud-init's own default.
      ...(mode === "0644" ? {} : { permissions: mode }),
      content,
    })),
  };
}

/** The document as user-data, in YAML; lines are never folded. */
export function renderCloudConfig(document: CloudConfig): string {
  return `#cloud-config\n${dump(document, { lineWidth: -1, noRefs: true })}`;
}
