import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { makeFolder } from "../make-folder.ts";
import { writePrivately } from "../private-file.ts";
import { Refused } from "./refused.ts";

const settingsSchema = z.strictObject({
  /** The Cloudflare account's id. */
  account: z.string().optional(),
  /** Where servers and people call the Worker, when the operator says so. */
  url: z.string().optional(),
  /** The id of the KV namespace with the copies of leases. */
  kv: z.string().optional(),
  /** By binding: the rate limits' namespaces, which no other Worker of the account may share. */
  rateLimits: z.record(z.string(), z.string()).default({}),
  /** What differs from the `vars` of wrangler.jsonc, or was decided here. */
  vars: z.record(z.string(), z.string()).default({}),
  /** Put over the rest of wrangler.jsonc, key by key: routes, limits and the like. */
  wrangler: z.record(z.string(), z.unknown()).default({}),
  /** By name: the SHA-256 of the secrets that were stored, so that none is stored again. */
  secrets: z.record(z.string(), z.string()).default({}),
  /** What was deployed last from here. */
  deployed: z
    .strictObject({
      /** Cloudflare's id of the Worker's version. */
      version: z.string(),
      /** SHA-256 over program and configuration. */
      digest: z.string(),
      url: z.string(),
      release: z.string(),
      /** Of this repository. */
      commit: z.string().optional(),
    })
    .optional(),
});

/** What is known of one deployment; `settings.json` of its folder. */
export type Settings = z.infer<typeof settingsSchema>;

/** The settings of the deployment in that folder; empty ones when there is none yet. Throws a Refused when they cannot be read. */
export function readSettings(folder: string): Settings {
  const path = join(folder, "settings.json");
  let text = "{}";
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Refused(
      `${path} is no JSON (${error instanceof Error ? error.message : error}): correct it, or move it away and give the settings anew`,
    );
  }
  const read = settingsSchema.safeParse(json);
  if (read.success) return read.data;
  throw new Refused(`${path} has settings that are not known:\n${z.prettifyError(read.error)}\nCorrect them`);
}

/** Writes the settings; only the owner may read them. */
export function writeSettings(folder: string, settings: Settings): void {
  writePrivate(folder, "settings.json", `${JSON.stringify(settings, null, 2)}\n`);
}

/** Writes a file, whole or not at all, and gives its path; only the owner may read it, and a folder that is made for it. */
export function writePrivate(folder: string, name: string, text: string): string {
  if (!existsSync(folder)) {
    makeFolder(folder);
    chmodSync(folder, 0o700);
  }
  const path = join(folder, name);
  writePrivately(path, text);
  return path;
}
