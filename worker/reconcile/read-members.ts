import { ControllerError, type MemberList } from "../controller/controller.ts";
import { parseNodeId } from "../lease/ids.ts";
import type { Upkeep } from "./upkeep.ts";

/**
 * The network's members, and when the list was asked for (ms since 1970). An empty list is not believed on its own, since it
 * would free every address that others hold: whoever should be in it is looked for, or without anybody the list asked for again.
 */
export async function readMembers(
  upkeep: Upkeep,
): Promise<{ readonly list: MemberList; readonly readAt: number }> {
  const { controller, now } = upkeep;
  const readAt = now();
  const list = await controller.listMembers();
  if (list.members.length + list.unread.length > 0) return { list, readAt };
  const known = knownMember(upkeep);
  if (known === undefined) return { list: await controller.listMembers(), readAt };
  if ((await controller.readMember(known)) !== undefined)
    throw new ControllerError(
      "bad-answer",
      `listing the members failed: the list is empty, and member ${known} is there. It is tried again`,
    );
  return { list, readAt };
}

/** Somebody who should be in the list. */
function knownMember({ stores }: Upkeep) {
  const known = stores.memory.slotsHeld()?.held[0]?.member ?? stores.nodes.someDelivered();
  return known === undefined ? undefined : parseNodeId(known);
}
