import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type Backup, backupOf, isEmpty, parseBackup } from "../../../worker/backup/backup.ts";
import { faultsOf } from "../../../worker/backup/check.ts";
import { backups, NOW, nodeId, place, WHOLE } from "./documents.ts";

const HOUR = 3_600_000;
const bytes = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document));

/** The document with its nodes, or keys, changed by their places. */
const withNodes = (...changes: Partial<Backup["nodes"][number]>[]): Backup => ({
  ...WHOLE,
  nodes: WHOLE.nodes.map((node, at) => ({ ...node, ...changes[at] })),
});
const withKey = (change: Partial<Backup["keys"][number]>): Backup => ({
  ...WHOLE,
  keys: WHOLE.keys.map((key) => ({ ...key, ...change })),
});

test("what the Worker makes has its form and no fault, and is read as it was written", () => {
  fc.assert(
    fc.property(backups, (backup) => {
      const { format: _f, version: _v, ...rest } = backup;
      const read = parseBackup(backupOf(rest, rest));
      expect(read).toEqual({ ok: true, value: backup });
      // Of nothing the Worker makes none.
      const faults = isEmpty(backup)
        ? [expect.stringContaining("neither lease nor key nor reservation")]
        : [];
      expect(faultsOf(backup, place)).toEqual(faults);
    }),
  );
  expect(parseBackup(bytes(WHOLE))).toEqual({ ok: true, value: WHOLE });
  expect(faultsOf(WHOLE, place)).toEqual([]);
});

describe("a fault is named", () => {
  it.each<readonly [Partial<Backup>, string]>([
    [{ network: "8056c2e21c000002" }, "it is of the network 8056c2e21c000002"],
    [{ pool: { ...WHOLE.pool, nodePrefix: 25 } }, "NODE_PREFIX 25"],
    [{ madeAt: NOW + HOUR }, "which is to come: is a clock wrong?"],
    [{ released: WHOLE.released.map((row) => ({ ...row, slot: 240 })) }, "slot 240, released by"],
    [
      { released: WHOLE.released.map((row) => ({ ...row, freeAt: NOW - 1 })) },
      "the quarantine of slot 3 ends at",
    ],
    [
      { released: WHOLE.released.map((row) => ({ ...row, releasedAt: NOW + HOUR })) },
      "slot 3 was released at",
    ],
    [{ released: [...WHOLE.released, ...WHOLE.released] }, "released slot 3 is there twice"],
    [
      { reservations: [...WHOLE.reservations, ...WHOLE.reservations] },
      "the reservation of db1 is there twice",
    ],
    [
      { reservations: [...WHOLE.reservations, { name: "x", slot: 250, createdAt: NOW }] },
      "slot 250, reserved for x",
    ],
    [
      { reservations: [...WHOLE.reservations, { name: "web1", slot: 9, createdAt: NOW }] },
      "web1 is reserved with slot 9, and node 1000000001 is called so with slot 1",
    ],
    [
      { reservations: [...WHOLE.reservations, { name: "x", slot: 1, createdAt: NOW }] },
      "x is reserved with slot 1, and node 1000000001, which has that slot, is called web1",
    ],
    [{ keys: [...WHOLE.keys, ...WHOLE.keys] }, "key 0000000000000001 is there twice"],
    [{ keys: [], idempotencyKeys: [] }, "was let in by key 0000000000000001, which is not there"],
    [withKey({ reservedSlot: 7 }), "is for slot 7, which is not reserved"],
    [withKey({ reservedSlot: null }), "takes over from 1000000002, and is for no reserved slot"],
    [withKey({ expiresAt: NOW - 1 }), "expired before it was made"],
    [withKey({ lastUsedAt: NOW + HOUR }), "key 0000000000000001 was used at"],
    [{ admissions: [...WHOLE.admissions, ...WHOLE.admissions] }, "the admission of 1000000001 by key"],
    [{ formerNodes: [...WHOLE.formerNodes, ...WHOLE.formerNodes] }, "former node 1000000003 is there twice"],
    [{ nameNumbers: [...WHOLE.nameNumbers, ...WHOLE.nameNumbers] }, "the next number of web"],
    [{ idempotencyKeys: [...WHOLE.idempotencyKeys, ...WHOLE.idempotencyKeys] }, "Idempotency-Key order-1"],
    [{ unheard: WHOLE.unheard.map((row) => ({ ...row, at: NOW + HOUR })) }, "a write of 1000000003 left at"],
    [withNodes({ slot: 2 }), "1000000001 and 1000000002 both have the slot 2"],
    [withNodes({ name: "web2" }), "1000000001 and 1000000002 both have the name web2"],
    [withNodes({ node: nodeId(2), identity: null }), "node 1000000002 is there twice"],
    [withNodes({ slot: 254 }), "slot 254, of node 1000000001, is outside the pool"],
    [withNodes({ state: "revoked" }), "node 1000000001 is revoked, and revokedBy says nobody"],
    [withNodes({ revokedBy: "operator" }), "node 1000000001 is active, and revokedBy says operator"],
    [withNodes({ node: nodeId(9) }), "the identity of node 1000000009 is that of 1000000001"],
    [withNodes({ seenAt: NOW + HOUR }), "node 1000000001 was seen at"],
    [withNodes({ tokenHashes: WHOLE.nodes[1]?.tokenHashes ?? [] }), "the token hash"],
  ])("%#", (change, text) => {
    const faults = faultsOf({ ...WHOLE, ...change }, place);
    expect(faults.join("\n")).toContain(text);
  });
});

describe("what has not the form is refused", () => {
  const faultsIn = (document: unknown): string => {
    const read = parseBackup(bytes(document));
    return read.ok ? "none" : read.error.join("\n");
  };

  it("whichever field is missing, or is there besides", () => {
    for (const field of Object.keys(WHOLE))
      expect(faultsIn({ ...WHOLE, [field]: undefined })).toContain(field);
    expect(faultsIn({ ...WHOLE, more: 1 })).toContain("more: there is no such field");
    expect(faultsIn(withNodes({ more: 1 } as object))).toContain("nodes.0.more: there is no such field");
  });

  it.each<readonly [unknown, string]>([
    [withNodes({ slot: 1.5 }), "nodes.0.slot"],
    [withNodes({ name: "Web" }), "nodes.0.name: not a name"],
    [withNodes({ tokenHashes: ["mbn_secret"] }), "nodes.0.tokenHashes.0: not a SHA-256"],
    [{ ...WHOLE, nodes: [{ ...WHOLE.nodes[0], node: "ffffffffff" }] }, "nodes.0.node: not a node id"],
    [withKey({ hash: "mbk_secret" }), "keys.0.hash: not a SHA-256"],
    [withKey({ id: "x" }), "keys.0.id: not the id of a key"],
    [[], "format"],
    [null, "format"],
    [{ ...WHOLE, version: "1" }, 'version: "1"'],
  ])("%#", (document, text) => {
    expect(faultsIn(document)).toContain(text);
  });

  it("with a few of its faults when there are many", () => {
    const nodes = Array.from({ length: 500 }, () => ({}));
    const read = parseBackup(bytes({ ...WHOLE, nodes }));
    expect(read.ok ? [] : read.error).toHaveLength(21);
    expect(read.ok ? "" : read.error.at(-1)).toMatch(/^and \d+ more$/);
  });

  it("whatever the bytes are", () => {
    const documents = fc.oneof(fc.uint8Array(), fc.jsonValue().map(bytes));
    fc.assert(fc.property(documents, (noise) => !parseBackup(noise).ok));
  });
});
