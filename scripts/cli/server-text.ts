import { fact, shownAs, trouble } from "../../worker/schema/server-words.ts";
import type { Server } from "./call/server.ts";
import { ago } from "./terminal/duration.ts";
import type { Column } from "./terminal/table.ts";
import type { Style } from "./terminal/terminal.ts";

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

/** What is wrong with a server, in a clause; "" when nothing is. `silences`: what probes say, by node. */
export function troubleText(server: Server, silences: ReadonlyMap<string, string>, now: number): string {
  return trouble(server, (time) => ago(time, now), silences.get(server.node)) ?? "";
}

function agentText(server: Server): string {
  return `${fact(server, "agent")}${server.behind === true ? " (behind)" : ""}`;
}

/** The columns of a list of servers. `silences`: what probes say, by node; `now`: ms since 1970. */
export const SERVER_COLUMNS = (
  silences: ReadonlyMap<string, string>,
  now: number,
): readonly Column<Server>[] => [
  { title: "NAME", cell: ({ name }) => name },
  { title: "STATE", cell: shownAs, style: (server) => STYLES[shownAs(server)] },
  { title: "WRONG", cell: (server) => troubleText(server, silences, now), style: () => "yellow" },
  { title: "MESH", cell: ({ zerotier }) => withoutPrefix(zerotier.ipv4) },
  { title: "CONTAINERS", cell: ({ docker }) => docker.ipv4.subnet, dispensable: 3 },
  { title: "PUBLIC", cell: ({ address }) => address ?? "", dispensable: 4 },
  { title: "PROVIDER", cell: (server) => fact(server, "provider"), dispensable: 5 },
  { title: "OS", cell: (server) => fact(server, "os"), dispensable: 7 },
  { title: "AGENT", cell: agentText, dispensable: 8 },
  { title: "TAGS", cell: ({ tags }) => tags.join(","), dispensable: 6 },
  { title: "SEEN", cell: ({ lastSeen }) => ago(lastSeen, now), dispensable: 2 },
];
