import type { Node } from "../yaml/parser.ts";
import { configFault, itemsOf, placeOf, typeOf } from "./fault.ts";

/** cloud-init makes one script of all commands, or none when one of them is neither text nor list. */
export function checkCommands(key: string, value: Node): void {
  for (const [at, item] of itemsOf(key, value).entries()) {
    const type = typeOf(item);
    if (item.kind === "sequence" || type === "str" || type === "null") continue;
    const why =
      item.kind === "mapping"
        ? "`: ` within it makes a mapping of it"
        : `without quotes it is of the type ${type}`;
    throw configFault(
      `${key}: item ${at + 1} (${placeOf(item.mark)}) is no command: ${why}. Put it in quotes: cloud-init would run none of the list`,
    );
  }
}
