import type { Server } from "./call/server.ts";
import { ago } from "./terminal/duration.ts";
import type { Column } from "./terminal/table.ts";
import type { Style } from "./terminal/terminal.ts";

/** What a server is, in a word; failed goes before the state of its lease. */
export function stateOf({ state, failed }: Server): string {
  return failed !== null && (state === "active" || state === "offline") ? "failed" : state;
}

/** What is wrong with a server, in a clause; "" when nothing is. */
export function trouble(server: Server, now: number): string {
  const { state, failed, delivered, behind, lastSeen, lastRepair, worstFinding } = server;
  if (state === "pending") return "waits for approval";
  if (state === "revoked") return "taken out";
  if (failed !== null)
    return `stopped ${failed.step === null ? "" : `at ${failed.step} `}${ago(failed.at, now)}`;
  if (state === "offline" || state === "stale") return `not heard since ${ago(lastSeen, now)}`;
  if (worstFinding !== null) return `${worstFinding.level} at ${worstFinding.link}`;
  if (!delivered) return "the controller was not told yet";
  if (behind === true) return "agent behind";
  if (lastRepair !== null && now - Date.parse(lastRepair.at) < 86_400_000)
    return `repaired ${lastRepair.steps.join(", ")}`;
  return "";
}

const STYLES: Readonly<Record<string, Style>> = {
  active: "green",
  pending: "yellow",
  offline: "yellow",
  stale: "red",
  revoked: "dim",
  failed: "red",
};

/** An address without the length of its prefix. */
export function withoutPrefix(address: string): string {
  return address.split("/")[0] ?? address;
}

/** What the server says of itself by that name; "" when it does not. */
export function fact({ facts }: Server, name: string): string {
  const said = facts?.[name];
  return typeof said === "string" || typeof said === "number" ? String(said) : "";
}

/** The columns of a list of servers. `now`: ms since 1970. */
export const SERVER_COLUMNS = (now: number): readonly Column<Server>[] => [
  { title: "NAME", cell: ({ name }) => name },
  { title: "STATE", cell: stateOf, style: (server) => STYLES[stateOf(server)] },
  { title: "WRONG", cell: (server) => trouble(server, now), style: () => "yellow" },
  { title: "MESH", cell: ({ zerotier }) => withoutPrefix(zerotier.ipv4) },
  { title: "CONTAINERS", cell: ({ docker }) => docker.ipv4.subnet, dispensable: 3 },
  { title: "PUBLIC", cell: ({ address }) => address ?? "", dispensable: 4 },
  { title: "PROVIDER", cell: (server) => fact(server, "provider"), dispensable: 5 },
  { title: "OS", cell: (server) => fact(server, "os"), dispensable: 7 },
  { title: "AGENT", cell: (server) => fact(server, "agent"), dispensable: 8 },
  { title: "TAGS", cell: ({ tags }) => tags.join(","), dispensable: 6 },
  { title: "SEEN", cell: ({ lastSeen }) => ago(lastSeen, now), dispensable: 2 },
];
