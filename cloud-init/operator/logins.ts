import { entriesOf } from "../yaml/entries.ts";
import type { Node } from "../yaml/parser.ts";
import { configFault, itemsOf, placeOf, typeOf } from "./fault.ts";

/** cloud-init takes a text here for a list of letters, and gives up on all keys, the provider's too, where there is nothing. */
export function checkKeys(key: string, value: Node): void {
  for (const [at, item] of itemsOf(key, value).entries()) {
    if (typeOf(item) === "str") continue;
    throw configFault(
      `${key}: item ${at + 1} (${placeOf(item.mark)}) is no SSH key but of the type ${typeOf(item)}: put it in quotes`,
    );
  }
}

/** cloud-init makes no user at all, its default one included, where the list or one in it is nothing that it understands. */
export function checkUsers(key: string, value: Node): void {
  if (value.kind === "scalar" && typeOf(value) === "str") return;
  if (value.kind === "scalar")
    throw configFault(`${key} must be a list: cloud-init would make no user at all`);
  const users =
    value.kind === "sequence"
      ? value.items.map((user, at) => ({ user, called: `item ${at + 1}`, isGood: isUser(user) }))
      : [...entriesOf(value)].map(([name, user]) => ({ user, called: name, isGood: isNamedUser(user) }));
  for (const { user, called, isGood } of users) {
    const place = `${key}: ${called} (${placeOf(user.mark)})`;
    if (!isGood) throw configFault(`${place} is no user: cloud-init would make none at all`);
    const keys = user.kind === "mapping" ? entriesOf(user).get("ssh_authorized_keys") : undefined;
    if (keys?.kind === "sequence") checkKeys(`${place}: ssh_authorized_keys`, keys);
  }
}

/** A name, some of them, or a mapping, which is about the default user when it has no name. */
function isUser(node: Node): boolean {
  if (node.kind === "scalar") return typeOf(node) === "str";
  if (node.kind === "sequence") return node.items.every((name) => typeOf(name) === "str");
  const name = entriesOf(node).get("name");
  return name === undefined || typeOf(name) === "str";
}

/** What stands behind a name: a mapping, or whether there is to be such a user. */
function isNamedUser(node: Node): boolean {
  return node.kind === "mapping" || typeOf(node) === "bool";
}
