// What a whole stage of cloud-init's, or the whole document, hangs on.
import { entriesOf } from "../yaml/entries.ts";
import type { Node } from "../yaml/parser.ts";
import { configFault, itemsOf, placeOf, typeOf } from "./fault.ts";

const MERGER = /^(?:m_)?(?:list|dict|str)$/;

/** What cloud-init can report by, with the names of their settings. */
const REPORTERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["hyperv", ["kvp_file_path", "event_types"]],
  ["log", ["level"]],
  ["print", []],
  [
    "webhook",
    ["endpoint", "consumer_key", "consumer_secret", "token_key", "token_secret", "timeout", "retries"],
  ],
]);

/** Where cloud-init does not understand how to merge the document with others, it takes nothing of it. */
export function checkMergers(key: string, value: Node): void {
  if (typeOf(value) === "null") return;
  const isGood =
    value.kind === "scalar"
      ? typeOf(value) === "str" && mergersIn(value.value).every((merger) => isCall(merger))
      : value.kind === "sequence" && value.items.every(isMerger);
  if (!isGood)
    throw configFault(
      `${key} (${placeOf(value.mark)}): cloud-init would take nothing of the document: give a text such as 'list(append)+dict(recurse_array)+str()', or a list of names with their settings`,
    );
}

function mergersIn(text: string): string[] {
  return text
    .split("+")
    .map((merger) => merger.trim().toLowerCase().replaceAll("-", "_"))
    .filter((merger) => merger !== "");
}

function isCall(merger: string): boolean {
  const name = /^([a-z_][a-z0-9_]*)\(.*\)$/.exec(merger)?.[1];
  return name !== undefined && MERGER.test(name);
}

/** `{name: list, settings: [append]}`, or `[list, append]`. */
function isMerger(item: Node): boolean {
  if (item.kind === "scalar") return false;
  const entries = item.kind === "mapping" ? entriesOf(item) : undefined;
  const name = item.kind === "mapping" ? entries?.get("name") : item.items[0];
  if (name?.kind !== "scalar" || typeOf(name) !== "str" || !MERGER.test(name.value)) return false;
  return item.kind === "sequence" || entries?.get("settings")?.kind === "sequence";
}

/** A list of modules in which one has no name ends its stage, which for the first one means: no user and no SSH key. */
export function checkModules(key: string, value: Node): void {
  if (typeOf(value) === "null") return;
  for (const [at, item] of itemsOf(key, value).entries()) {
    const texts =
      item.kind === "scalar"
        ? // An empty item is passed over.
          [item].filter((name) => typeOf(name) !== "null")
        : item.kind === "sequence"
          ? item.items.slice(0, 2)
          : ["name", "frequency"].flatMap((name) => entriesOf(item).get(name) ?? []);
    if (texts.every((text) => typeOf(text) === "str")) continue;
    throw configFault(
      `${key}: item ${at + 1} (${placeOf(item.mark)}) is no module's name: cloud-init would run none of the list`,
    );
  }
}

/** What cloud-init cannot report to ends its first stage: no user and no SSH key. */
export function checkReporting(key: string, value: Node): void {
  if (typeOf(value) === "null") return;
  if (value.kind !== "mapping") throw configFault(`${key} must be a mapping`);
  for (const [name, reporter] of entriesOf(value)) {
    if (typeOf(reporter) === "null") continue;
    const fault = reporterFault(reporter);
    if (fault !== undefined)
      throw configFault(
        `${key}: ${name} (${placeOf(reporter.mark)}) ${fault}: for it cloud-init would make no user and take no SSH key`,
      );
  }
}

function reporterFault(reporter: Node): string | undefined {
  const entries = reporter.kind === "mapping" ? entriesOf(reporter) : undefined;
  const type = entries?.get("type");
  const settings = type?.kind === "scalar" ? REPORTERS.get(type.value) : undefined;
  if (entries === undefined || settings === undefined)
    return `must have a type, one of ${[...REPORTERS.keys()].join(", ")}`;
  const unknown = [...entries.keys()].find((name) => name !== "type" && !settings.includes(name));
  if (unknown !== undefined) return `has ${JSON.stringify(unknown)}, which its type does not have`;
  return settings.includes("endpoint") && !entries.has("endpoint") ? "has no endpoint" : undefined;
}

/** The same for a list of log settings that is none. */
export function checkLogConfigs(key: string, value: Node): void {
  itemsOf(key, value);
}
