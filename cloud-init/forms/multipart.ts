import type { OperatorConfig } from "../operator/config.ts";
import type { Server } from "../server-files.ts";
import { boothook } from "./boothook.ts";

/** The longest line that a message may have as it is (RFC 5322). */
const LONGEST_LINE = 998;

/** The operator's own cloud-config and our part, in one MIME message (RFC 2046), which cloud-init takes apart. */
export function multipart(server: Server, operator: OperatorConfig): string {
  const ours = boothook(server);
  const boundary = boundaryFor([operator.text, ours]);
  return [
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "MIME-Version: 1.0",
    "",
    ...part(boundary, "cloud-config", "operator.cfg", operator.text),
    ...part(boundary, "cloud-boothook", "meshboot", ours),
    `--${boundary}--`,
    "",
  ].join("\n");
}

function part(boundary: string, type: string, filename: string, text: string): string[] {
  const isPlain =
    /^[\t\n\x20-\x7e]*$/.test(text) && text.split("\n").every((line) => line.length <= LONGEST_LINE);
  return [
    `--${boundary}`,
    `Content-Type: text/${type}; charset="${isPlain ? "us-ascii" : "utf-8"}"`,
    "MIME-Version: 1.0",
    `Content-Transfer-Encoding: ${isPlain ? "7bit" : "base64"}`,
    `Content-Disposition: attachment; filename="${filename}"`,
    "",
    isPlain ? text : mimeBase64(text),
  ];
}

/** Base64 of the text's UTF-8, in the lines of at most 76 characters that MIME wants. */
function mimeBase64(text: string): string {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replace(/.{1,76}/g, "$&\n");
}

/** A boundary that occurs in none of the texts, the same for the same texts. */
function boundaryFor(texts: readonly string[]): string {
  // Two can share the signs between them, so those at an end are only looked at.
  const taken = new Set(texts.flatMap((text) => text.match(/==meshboot(?:-\d+)?(?===)/g) ?? []));
  let name = "==meshboot";
  for (let n = 2; taken.has(name); n++) name = `==meshboot-${n}`;
  return `${name}==`;
}
