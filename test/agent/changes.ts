// What of a server was changed: its files, and what its commands were told.
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Host } from "./host.ts";
import type { Run } from "./shells.ts";

/** Calls that change nothing. Whatever else a stub wrote down does. */
const READING: readonly RegExp[] = [
  /^systemctl (?:show|is-)/,
  /^nft (?:-s list|-a -t list|list) /,
  /^ip6?tables (?:-w )?(?:-t \w+ )?-(?:S|C|V)\b/,
  /^ip6?tables-save/,
  /^ip (?:\S+ )*(?:show|get)\b/,
  /^docker (?:ps|info|network (?:ls|inspect)) /,
  /^zerotier-cli (?:info|listnetworks|-v)/,
  /^apt-get (?:-\S+ )*-s /,
  // What is written only stays.
  /^sync /,
  // Without a method: a GET.
  /^curl (?!.* -X )/,
];

/** What the stubs wrote down of calls that change something. */
export function changingCalls(host: Host): string[] {
  const calls = host.seen("calls").split("\n");
  return calls.filter((call) => call !== "" && !READING.some((reading) => reading.test(call)));
}

/** Everything of a server and of its stubs' world, times included, but for what the stubs wrote down. */
export function everything(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, entry);
    const stat = lstatSync(path);
    if (entry === "world/calls") continue;
    if (stat.isSymbolicLink()) found[entry] = `-> ${readlinkSync(path)}`;
    else if (stat.isFile())
      found[entry] = `${stat.mode} ${stat.mtimeMs} ${stat.ctimeMs} ${readFileSync(path, "utf8")}`;
    else found[entry] = `${stat.mode}`;
  }
  return found;
}

/** Runs it, and checks that nothing at all was changed. */
export function unchanged(directory: string, run: () => Run, host: Host): Run {
  host.world({ calls: "" });
  const before = everything(directory);
  const result = run();
  expect(changingCalls(host)).toEqual([]);
  expect(everything(directory)).toEqual(before);
  return result;
}
