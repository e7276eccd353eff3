import { isKnownKey, nearestKey } from "../known-keys.ts";
import { entriesOf, isMerge } from "../yaml/entries.ts";
import type { Node } from "../yaml/parser.ts";
import { YamlError } from "../yaml/reader.ts";
import { safeLoad } from "../yaml/safe-load.ts";
import { checkCommands } from "./commands.ts";
import { configFault, placeOf } from "./fault.ts";
import { checkFiles } from "./files.ts";
import { checkKeys, checkUsers } from "./logins.ts";
import { checkLogConfigs, checkMergers, checkModules, checkReporting } from "./stages.ts";

/** The operator's own cloud-config, checked; the text is theirs but for line ends and a byte order mark. */
export interface OperatorConfig {
  readonly text: string;
}

/** How cloud-init tells a cloud-config, in any case and behind empty lines; the other two are something else. */
const HEADER = /^\s*#cloud-config(?!-archive|-jsonp)/i;

/** What cloud-init gives up on as a whole for one mistake in it. */
const CHECKS: ReadonlyMap<string, (key: string, value: Node) => void> = new Map([
  ["bootcmd", checkCommands],
  ["runcmd", checkCommands],
  ["write_files", checkFiles],
  ["ssh_authorized_keys", checkKeys],
  ["users", checkUsers],
  ["merge_how", checkMergers],
  ["merge_type", checkMergers],
  ["cloud_init_modules", checkModules],
  ["cloud_config_modules", checkModules],
  ["cloud_final_modules", checkModules],
  ["log_cfgs", checkLogConfigs],
  ["reporting", checkReporting],
]);

/**
 * Checks a cloud-config of the operator's, as far as a mistake in it would be lost silently at boot: nothing there is what
 * cloud-init would take for one, it is no YAML to cloud-init's parser, a key stands twice, cloud-init knows none of
 * that name, or for one of its values it would leave out others. Throws a UserDataError that names what is wrong.
 */
export function parseOperatorConfig(text: string): OperatorConfig {
  const clean = text
    .replace(/^\ufeff/, "")
    .replaceAll("\r\n", "\n")
    .replace(/\n?$/, "\n");
  if (!HEADER.test(clean)) throw configFault("its first line must be #cloud-config");
  const document = readYaml(clean);
  if (document?.kind !== "mapping")
    throw configFault("it must be a YAML mapping, keys such as packages: at the left margin");
  checkRepeatedKeys(document, new Set());
  for (const [key, value] of entriesOf(document)) {
    checkName(key);
    CHECKS.get(key)?.(key, value);
  }
  return { text: clean };
}

function readYaml(text: string): Node | undefined {
  try {
    return safeLoad(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw configFault(`it is no valid YAML: ${error.message} (${placeOf(error.mark)})`);
  }
}

/** The last one would count, and what the first one says be lost. `seen`: an alias may lead back to where we are. */
function checkRepeatedKeys(node: Node, seen: Set<Node>): void {
  if (node.kind === "scalar" || seen.has(node)) return;
  seen.add(node);
  if (node.kind === "sequence") {
    for (const item of node.items) checkRepeatedKeys(item, seen);
    return;
  }
  const names = new Set<string>();
  for (const [key, value] of node.entries) {
    checkRepeatedKeys(value, seen);
    // Of those that merge each one counts.
    if (key.kind !== "scalar" || isMerge(key)) continue;
    if (names.has(key.value))
      throw configFault(`the key ${JSON.stringify(key.value)} is there twice (${placeOf(key.mark)})`);
    names.add(key.value);
  }
}

function checkName(key: string): void {
  if (isKnownKey(key)) return;
  const near = nearestKey(key);
  const remedy = near === undefined ? "remove it" : `did you mean ${near}?`;
  throw configFault(`cloud-init knows no key ${JSON.stringify(key)}; ${remedy}`);
}
