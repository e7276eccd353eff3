import { entriesOf } from "../yaml/entries.ts";
import type { Node } from "../yaml/parser.ts";
import { isBase64 } from "../yaml/tags.ts";
import { configFault, itemsOf, placeOf, typeOf } from "./fault.ts";

const PLAIN = "text/plain";
const BASE64 = ["b64", "base64"];
const GZIP = ["gz", "gzip"];
const BOTH = GZIP.flatMap((gzip) => BASE64.map((base64) => `${gzip}+${base64}`));

/** Of an entry that cloud-init cannot write, it writes no file of those behind it either. */
export function checkFiles(key: string, value: Node): void {
  for (const [at, item] of itemsOf(key, value).entries()) {
    const fault = fileFault(item);
    if (fault !== undefined) throw configFault(`${key}: item ${at + 1} (${placeOf(item.mark)})${fault}`);
  }
}

function fileFault(item: Node): string | undefined {
  if (item.kind !== "mapping") return " must be a mapping with a path: cloud-init would write no file";
  const entry = entriesOf(item);
  const path = entry.get("path");
  if (path === undefined || typeOf(path) !== "str")
    return " has no path that is a text: cloud-init would not write it";
  return (
    textFault("owner", entry.get("owner")) ??
    textFault("encoding", entry.get("encoding")) ??
    contentFault(entry.get("content"), entry.get("encoding")) ??
    permissionsFault(entry.get("permissions"))
  );
}

/** What is left out, or null, is cloud-init's own default. */
function textFault(name: string, node: Node | undefined): string | undefined {
  if (node === undefined || ["str", "null"].includes(typeOf(node))) return undefined;
  return `: ${name}: without quotes it is of the type ${typeOf(node)}: put it in quotes`;
}

function contentFault(content: Node | undefined, encoded: Node | undefined): string | undefined {
  if (content === undefined || typeOf(content) === "binary") return undefined;
  if (content.kind !== "scalar" || typeOf(content) !== "str")
    return `: content: it is of the type ${typeOf(content)}, and cloud-init writes only text: put it in quotes`;
  const encoding =
    encoded?.kind === "scalar" && typeOf(encoded) === "str" ? encoded.value.toLowerCase().trim() : "";
  const isPacked = BOTH.includes(encoding);
  if ((isPacked || BASE64.includes(encoding)) && !isBase64(content.value))
    return ": content: it is no base64, as its encoding says, and cloud-init would write no file behind it either";
  // How the base64 of gzip's first three bytes begins.
  if (GZIP.includes(encoding) || (isPacked && !content.value.trim().startsWith("H4sI")))
    return ": content: it is not packed by gzip, as its encoding says, and cloud-init would write no file behind it either";
  if (isPacked || ["", PLAIN, ...BASE64].includes(encoding)) return undefined;
  return `: encoding: cloud-init knows none of the name ${JSON.stringify(encoding)}, and would write the content as it is; it knows ${[...BASE64, ...GZIP, ...BOTH, PLAIN].join(", ")}`;
}

/** cloud-init takes a text for octal, and a number for what YAML makes of it: 644 is decimal, as 0o644 would be 420. */
function permissionsFault(node: Node | undefined): string | undefined {
  if (node === undefined || typeOf(node) === "null") return undefined;
  const type = typeOf(node);
  if (node.kind !== "scalar" || !["str", "int"].includes(type))
    return ": permissions: it must be a text such as '0644'";
  const { value } = node;
  if (type === "str" && !/^(?:0o)?[0-7]+$/.test(value))
    return `: permissions: ${JSON.stringify(value)} is no octal number: write one in quotes, such as '0644'`;
  if (type === "int" && /^[1-7][0-7]{2,3}$/.test(value))
    return `: permissions: ${value} without quotes is a decimal number, which makes the mode 0${Number(value).toString(8)}: write '0${value}', or '0${Number(value).toString(8)}' if that is meant`;
  return undefined;
}
