import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { experimental_readRawConfig } from "wrangler";
import { z } from "zod";
import { committed } from "./committed.ts";
import { Refused, reasonOf } from "./refused.ts";
import type { Settings } from "./settings.ts";

/** What is read of wrangler.jsonc; the rest of it goes along unread. */
const configSchema = z.looseObject({
  name: z.string(),
  main: z.string(),
  kv_namespaces: z.array(z.looseObject({ binding: z.string(), id: z.string().optional() })),
  ratelimits: z.array(z.looseObject({ name: z.string(), namespace_id: z.string() })),
  vars: z.record(z.string(), z.string()),
});

/** wrangler.jsonc, as it is read here. */
export type WranglerConfig = z.infer<typeof configSchema>;

/** What somebody wrote into wrangler.jsonc, beside what the repository has there. */
export interface Edits {
  readonly name: string | undefined;
  readonly vars: Readonly<Record<string, string>>;
  readonly kv: string | undefined;
  /** Everything else, by the keys of wrangler.jsonc. */
  readonly wrangler: Readonly<Record<string, unknown>>;
}

/** Keys that a deployment writes itself. */
const OWN = ["$schema", "name", "vars", "kv_namespaces", "ratelimits"];

/** Reads wrangler.jsonc, or a copy of it. Throws a Refused when it cannot be used. */
export function readConfig(path: string): WranglerConfig {
  try {
    return configSchema.parse(experimental_readRawConfig({ config: path }).rawConfig);
  } catch (error) {
    throw new Refused(
      `${path} cannot be read (${reasonOf(error)}): put it back as the repository has it: git checkout wrangler.jsonc`,
    );
  }
}

/**
 * wrangler.jsonc as the repository has it, and what was written into the file on disk since; without git, the file on disk
 * and no edits.
 */
export function trackedConfig(root: string): { readonly tracked: WranglerConfig; readonly edits: Edits } {
  const path = join(root, "wrangler.jsonc");
  const edited = readConfig(path);
  const text = committed(root, "wrangler.jsonc");
  if (text === undefined || text === readFileSync(path, "utf8"))
    return { tracked: edited, edits: editsBetween(edited, edited) };
  const folder = mkdtempSync(join(tmpdir(), "meshboot-config-"));
  try {
    const copy = join(folder, "wrangler.jsonc");
    writeFileSync(copy, text);
    const tracked = readConfig(copy);
    return { tracked, edits: editsBetween(edited, tracked) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is in the first configuration and not, or not so, in the second one. */
export function editsBetween(edited: WranglerConfig, committed: WranglerConfig): Edits {
  const others = Object.entries(edited).filter(
    ([key, value]) => !OWN.includes(key) && !isDeepStrictEqual(value, committed[key]),
  );
  return {
    name: differing(edited.name, committed.name),
    vars: Object.fromEntries(
      Object.entries(edited.vars).filter(([name, value]) => committed.vars[name] !== value),
    ),
    kv: differing(kvOf(edited), kvOf(committed)),
    wrangler: Object.fromEntries(others),
  };
}

function kvOf({ kv_namespaces }: WranglerConfig): string | undefined {
  return kv_namespaces.find(({ binding }) => binding === "LEASES")?.id;
}

function differing<T>(edited: T, committed: T): T | undefined {
  return edited === committed ? undefined : edited;
}

/** Whether there is nothing to take over. */
export function isUntouched({ name, vars, kv, wrangler }: Edits): boolean {
  return (
    name === undefined &&
    kv === undefined &&
    Object.keys(vars).length === 0 &&
    Object.keys(wrangler).length === 0
  );
}

/** The configuration of one deployment, for a file in its folder: the repository's, with the deployment's own settings. */
export function generatedConfig(
  { root, folder, name }: { readonly root: string; readonly folder: string; readonly name: string },
  tracked: WranglerConfig,
  settings: Settings,
): object {
  const { $schema: _, ...rest } = tracked;
  return {
    ...rest,
    ...settings.wrangler,
    name,
    main: relative(folder, join(root, tracked.main)),
    ...(settings.account !== undefined && { account_id: settings.account }),
    vars: { ...tracked.vars, ...settings.vars },
    kv_namespaces: tracked.kv_namespaces.map((bound) =>
      bound.binding === "LEASES" && settings.kv !== undefined ? { ...bound, id: settings.kv } : bound,
    ),
    ratelimits: tracked.ratelimits.map((limit) => ({
      ...limit,
      namespace_id: settings.rateLimits[limit.name] ?? limit.namespace_id,
    })),
  };
}
