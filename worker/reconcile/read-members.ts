import { ControllerError, type MemberList } from "../controller/controller.ts";
import { parseNodeId } from "../lease/ids.ts";
import { noteMembers } from "./address-conflicts.ts";
import type { Upkeep } from "./upkeep.ts";

/**
 * The network's members, and when the list was asked for (ms since 1970); what others hold is noted. An empty list is not
 * believed on its own, since it would free every address that others hold: whoever should be in it is looked for, or without
 * anybody the list asked for again.
 */
export async function readMembers(
  upkeep: Upkeep,
): Promise<{ readonly list: MemberList; readonly readAt: number }> {
  const { members, stores, now } = upkeep;
  const readAt = now();
  const list = await listBelieved(upkeep);
  members.believe(list, readAt);
  stores.transaction(() => noteMembers(upkeep, list, readAt));
  return { list, readAt };
}

async function listBelieved(upkeep: Upkeep): Promise<MemberList> {
  const { members } = upkeep;
  const list = await members.list();
  if (list.members.length + list.unread.length > 0) return list;
  const known = knownMember(upkeep);
  if (known === undefined) return members.list();
  if ((await members.read(known)) !== undefined)
    throw new ControllerError(
      "bad-answer",
      `listing the members failed: the list is empty, and member ${known} is there. It is tried again`,
    );
  return list;
}

/** Somebody who should be in the list. */
function knownMember({ stores }: Upkeep) {
  const known = stores.memory.slotsHeld()?.held[0]?.member ?? stores.nodes.someDelivered();
  return known === undefined ? undefined : parseNodeId(known);
}
