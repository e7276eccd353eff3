import fc from "fast-check";
import { expect, test } from "vitest";
import { followMembers } from "../../../worker/backup/follow.ts";
import type { ControllerMember } from "../../../worker/controller/controller.ts";
import { zerotierAddress } from "../../../worker/lease/pool.ts";
import { defaultPool as pool } from "../lease/pools.ts";
import { backups, NOW, nodeId, WHOLE } from "./documents.ts";

const WEEK = 7 * 86_400_000;

const member = (number: number, slots: readonly number[], authorized = true): ControllerMember => ({
  node: nodeId(number),
  name: `member-${number}`,
  authorized,
  addresses: slots.map((slot) => zerotierAddress(pool, slot)),
  autoAssign: true,
  lastSeen: undefined,
});

/** Members with addresses that may be those of the backup's slots. */
const cases = backups.chain((backup) => {
  const slots = [...backup.nodes, ...backup.reservations, ...backup.released].map(({ slot }) => slot);
  const some = fc.array(fc.constantFrom(...slots, 200, 201), { maxLength: 2 });
  const numbers = fc.uniqueArray(fc.constantFrom(...slots, 1000, 1001, 3000, 3001), { maxLength: 8 });
  return numbers.chain((all) =>
    fc
      .tuple(...all.map((number) => fc.tuple(fc.oneof(some, fc.constant([number % 239 || 1])), fc.boolean())))
      .map((made) => ({
        backup,
        members: made.map(([held, isIn], at) => member(all[at] ?? 0, [...new Set(held)], isIn)),
      })),
  );
});

const isIn = (members: readonly ControllerMember[], node: string, slot: number): boolean =>
  members.some(
    (one) => one.node === node && one.authorized && one.addresses.includes(zerotierAddress(pool, slot)),
  );

test("nobody who is in with its address loses that, nobody else is in, and no slot is two servers'", () => {
  fc.assert(
    fc.property(cases, ({ backup, members }) => {
      const { snapshot, differences, strangers } = followMembers(backup, members, pool, NOW);
      for (const { node, slot } of backup.nodes)
        if (isIn(members, node, slot))
          expect(snapshot.nodes).toContainEqual(expect.objectContaining({ node, slot, state: "active" }));
      for (const { node, slot, state } of snapshot.nodes) {
        const own = members.find((one) => one.node === node);
        if (state === "active") expect(own?.authorized).toBe(true);
        // Nor must it be moved when it is let in again.
        if (own?.authorized && own.addresses.length > 0) expect(isIn(members, node, slot)).toBe(true);
        // What it has is what it gets: nothing has to be written, unless it has no slot's address at all.
        if (state === "active" && own?.addresses.length !== 0) expect(isIn(members, node, slot)).toBe(true);
        const address = zerotierAddress(pool, slot);
        const others = members.filter((one) => one.node !== node && one.addresses.includes(address));
        if (others.length > 0) expect(isIn(members, node, slot)).toBe(true);
      }
      const slots = snapshot.nodes.map(({ slot }) => slot);
      expect(new Set(slots).size).toBe(slots.length);
      // Each that differs is named, and whoever is not in the backup.
      for (const node of backup.nodes) {
        const after = snapshot.nodes.find((one) => one.node === node.node);
        const isNamed = differences.some((one) => one.node === node.node);
        if (after?.state !== node.state) expect(isNamed).toBe(true);
        expect(after === undefined).toBe(
          differences.some((one) => one.node === node.node && one.state === null),
        );
      }
      for (const one of members.filter(({ authorized }) => authorized))
        for (const slot of [...backup.nodes, ...backup.released].map(({ slot }) => slot))
          if (isIn([one], one.node, slot))
            expect(
              snapshot.nodes.some((node) => node.node === one.node && node.slot === slot) ||
                strangers.some((stranger) => stranger.member === one.node && stranger.slot === slot),
            ).toBe(true);
      // A released slot rests a week from now, unless somebody is in with it, who must get his own.
      for (const { slot, freeAt } of snapshot.released) {
        expect(strangers.map((stranger) => stranger.slot)).not.toContain(slot);
        expect(freeAt).toBeGreaterThanOrEqual(NOW + WEEK);
        expect(slots).not.toContain(slot);
      }
    }),
  );
});

test("writes that cannot land any more are forgotten", () => {
  const late = NOW + 10 * 60_000;
  const at = (now: number) => followMembers(WHOLE, [], pool, now).snapshot;
  expect([at(late).unheard.length, at(late).routesUnheard.length]).toEqual([1, 1]);
  expect([at(late + 1).unheard.length, at(late + 1).routesUnheard.length]).toEqual([0, 0]);
});
