import type { OperatorConfig } from "../operator-config.ts";
import type { Server } from "../server-files.ts";
import { cloudConfig, renderCloudConfig } from "./cloud-config.ts";

/**
 * How our part is merged into the operator's, which stands before it: lists are appended to, and a key that
 * they set stays. cloud-init's default would replace their write_files and runcmd by ours.
 */
const MERGE_HOW = [
  { name: "list", settings: ["append"] },
  { name: "dict", settings: ["no_replace", "recurse_list"] },
];

/** The operator's own cloud-config and ours, in one MIME message (RFC 2046), which cloud-init takes apart. */
export function multipart(server: Server, operator: OperatorConfig): string {
  const ours = renderCloudConfig({ merge_how: MERGE_HOW, ...cloudConfig(server) });
  const boundary = boundaryFor([operator.text, ours]);
  return [
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "MIME-Version: 1.0",
    "",
    ...part(boundary, "operator.cfg", operator.text),
    ...part(boundary, "meshboot.cfg", ours),
    `--${boundary}--`,
    "",
  ].join("\n");
}

function part(boundary: string, filename: string, text: string): string[] {
  const isAscii = /^[\t\n\x20-\x7e]*$/.test(text) && !/.{999}/.test(text);
  return [
    `--${boundary}`,
    `Content-Type: text/cloud-config; charset="${isAscii ? "us-ascii" : "utf-8"}"`,
    "MIME-Version: 1.0",
    `Content-Transfer-Encoding: ${isAscii ? "7bit" : "base64"}`,
    `Content-Disposition: attachment; filename="${filename}"`,
    "",
    isAscii ? text : mimeBase64(text),
  ];
}

/** Base64 of the text's UTF-8, in the lines of at most 76 characters that MIME wants. */
function mimeBase64(text: string): string {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replace(/.{1,76}/g, "$&\n");
}

/** A boundary that occurs in none of the texts, the same for the same texts. */
function boundaryFor(texts: readonly string[]): string {
  let boundary = "==meshboot==";
  for (let n = 2; texts.some((text) => text.includes(boundary)); n++) boundary = `==meshboot-${n}==`;
  return boundary;
}
