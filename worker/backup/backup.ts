// A backup: the one JSON document that `GET /v1/export` gives and `POST /v1/restore` takes. It is parsed in the object, since a
// Worker has 10 ms of processor time a request on the free plan.
import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import { ENDINGS } from "../lease/ending.ts";
import { parseNodeId } from "../lease/ids.ts";
import { isName } from "../lease/name.ts";
import { poolSettings } from "../store/pool-settings.ts";
import { NO_NODE, type Snapshot } from "../store/snapshot-store.ts";

/** What a backup says of itself, so that no other document is taken for one. */
export const BACKUP_FORMAT = "meshboot-backup";

/** Of the document's form. A later one is not read, since nobody knows what it means. */
export const BACKUP_VERSION = 1;

// More than the API takes, or the controller has, of any of these; less than what a row of the object holds (2 MB).
const MOST_CHARACTERS = 1000;
const MOST_OPTIONS = 100_000;
const MOST_TAGS = 100;
const MOST_TOKENS = 10;
const MOST_ROUTES = 1000;
const MOST_WRITES = 10;

/** Faults, or members, that are named at most: a document of another kind has a fault for each row. */
const MOST_NAMED = 20;

const time = z.number().int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "not a SHA-256: 64 lower-case hex digits");
const name = z.string().refine(isName, "not a name: one DNS label");
const slot = z.number().int().min(1);
const keyId = z.string().regex(/^[0-9a-f]{16}$/, "not the id of a key: 16 hex digits");
const tags = z.array(z.string().max(MOST_CHARACTERS)).max(MOST_TAGS);
/** Two are good at a time, while one takes the place of the other. */
const tokenHashes = z.array(sha256).max(MOST_TOKENS);
const node = z.string().transform((text, context) => {
  const id = parseNodeId(text);
  if (id !== undefined) return id;
  context.addIssue("not a node id: 10 lower-case hex digits");
  return z.NEVER;
});
const prefix = z.string().max(MOST_CHARACTERS);
const route = z.strictObject({ target: prefix, via: prefix.nullable() });
const routes = z.array(route).max(MOST_ROUTES);
const slots = z.array(slot).max(MOST_ROUTES);

/** A node in a backup. */
export const backupNodeSchema = z.strictObject({
  node,
  name,
  slot,
  state: z.enum(["pending", "active", "revoked"]),
  revokedBy: z.enum(["operator", "controller"]).nullable(),
  identity: z
    .string()
    .regex(/^[0-9a-f]{10}:0:[0-9a-f]{128}$/, "not a public ZeroTier identity")
    .nullable(),
  machineId: sha256.nullable(),
  keyId: keyId.nullable(),
  tokenHashes,
  leasedAt: time,
  seenAt: time,
  deliveredAt: time.nullable(),
  tags,
  ephemeralMinutes: z.number().int().nullable(),
  letInAt: time.nullable(),
  deauthorizedAt: time.nullable(),
});

const key = z.strictObject({
  id: keyId,
  hash: sha256,
  createdAt: time,
  expiresAt: time,
  maxUses: z.number().int().min(1),
  approval: z.boolean(),
  allowOverlap: z.boolean(),
  names: z.string().max(MOST_CHARACTERS).nullable(),
  ephemeralMinutes: z.number().int().nullable(),
  lastUsedAt: time.nullable(),
  reservedSlot: slot.nullable(),
  takesOver: node.nullable(),
  revokedAt: time.nullable(),
  tags,
  note: z.string().max(MOST_CHARACTERS).nullable(),
  userData: z.string().max(MOST_OPTIONS).nullable(),
});

export const backupSchema = z.strictObject({
  format: z.literal(BACKUP_FORMAT),
  version: z.literal(BACKUP_VERSION),
  network: z.string(),
  pool: poolSettings,
  madeAt: time,
  nodes: z.array(backupNodeSchema),
  released: z.array(
    z.strictObject({ slot, node: node.or(z.literal(NO_NODE)), releasedAt: time, freeAt: time.nullable() }),
  ),
  reservations: z.array(z.strictObject({ name, slot, createdAt: time })),
  keys: z.array(key),
  admissions: z.array(z.strictObject({ key: keyId, node, barred: z.boolean() })),
  formerNodes: z.array(z.strictObject({ node, tokenHashes, ending: z.enum(ENDINGS), endedAt: time })),
  nameNumbers: z.array(z.strictObject({ name, next: z.number().int().min(2) })),
  idempotencyKeys: z.array(z.strictObject({ idempotencyKey: z.string().max(MOST_CHARACTERS), key: keyId })),
  unheard: z.array(z.strictObject({ node, authorized: z.boolean(), at: time })),
  slotsPublished: slots,
  routesUnheard: z.array(z.strictObject({ at: time, routes, slots, seen: routes })).max(MOST_WRITES),
});

/** A backup that has its form. Times in ms since 1970; secrets only as SHA-256. */
export type Backup = z.output<typeof backupSchema>;

/** Whether there is nothing in it that anybody would miss. */
export function isEmpty({ nodes, keys, reservations }: Snapshot): boolean {
  return nodes.length + keys.length + reservations.length === 0;
}

/** What the tables hold, as a document. */
export function backupOf(
  snapshot: Snapshot,
  { network, pool, madeAt }: Pick<Backup, "network" | "pool" | "madeAt">,
): Uint8Array {
  const said = { format: BACKUP_FORMAT, version: BACKUP_VERSION, network, pool, madeAt };
  return new TextEncoder().encode(JSON.stringify({ ...said, ...snapshot }));
}

/** Reads a document (UTF-8); or all that is wrong with its form, each fault with its place. */
export function parseBackup(bytes: Uint8Array): Result<Backup, readonly string[]> {
  if (bytes.length === 0)
    return err(["the body is empty: send the backup as it is (curl: --data-binary @FILE)"]);
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return err(["it is not JSON: was it saved whole?"]);
  }
  const said = z
    .looseObject({ format: z.literal(BACKUP_FORMAT), version: z.unknown().optional() })
    .safeParse(document);
  if (!said.success)
    return err([`format: not "${BACKUP_FORMAT}": give what GET /v1/export answered, unchanged`]);
  if (said.data.version === undefined) return err(["version: it is missing: was the file changed?"]);
  if (said.data.version !== BACKUP_VERSION)
    return err([
      `version: ${JSON.stringify(said.data.version)}, and this Worker reads ${BACKUP_VERSION} alone: deploy the one that made it, or a later one`,
    ]);
  const read = backupSchema.safeParse(document);
  if (read.success) return ok(read.data);
  return err(
    fewOf(
      read.error.issues.flatMap((issue) =>
        issue.code === "unrecognized_keys"
          ? issue.keys.map((field) => `${[...issue.path, field].join(".")}: there is no such field`)
          : [`${issue.path.join(".")}: ${issue.message}`],
      ),
    ),
  );
}

/** As many of the texts as anybody reads, and how many more there are. */
export function fewOf(texts: readonly string[]): readonly string[] {
  if (texts.length <= MOST_NAMED) return texts;
  return [...texts.slice(0, MOST_NAMED), `and ${texts.length - MOST_NAMED} more`];
}
