import type { CallCounts } from "./call-log.ts";
import type { Fault } from "./faults.ts";
import type { CentralState, Member, Network } from "./state.ts";

/** A network with its members as a plain list, as it is shown and stored. */
export type StoredNetwork = Omit<Network, "members"> & { readonly members: readonly Member[] };

/** Everything that the simulated Central holds, for people and for tests. */
export interface Snapshot {
  readonly networks: readonly StoredNetwork[];
  readonly calls: CallCounts;
  readonly faults: readonly Fault[];
}

/** The networks with their members as plain data. */
export function storedNetworks(state: CentralState): StoredNetwork[] {
  return [...state.networks.values()].map((network) => ({
    ...network,
    members: [...network.members.values()],
  }));
}

/** The snapshot as a page without scripts, for a look in the browser. */
export function pageOf(snapshot: Snapshot): string {
  const { calls } = snapshot;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Simulated ZeroTier Central</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:72rem}table{border-collapse:collapse}
td,th{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #ccc}td{font-family:ui-monospace,monospace}</style>
<h1>Simulated ZeroTier Central</h1>
<p>It serves Central's API v1 under <code>/api/v1</code>. Nothing here reaches ZeroTier.
The same as JSON: <a href="/sim/state">/sim/state</a>.</p>
<p>${calls.total} calls, ${calls.refused} over the rate limit, at most ${calls.peak} within a second; ${snapshot.faults.length} faults ordered.</p>
${snapshot.networks.map(networkSection).join("\n")}
</html>
`;
}

function networkSection({ id, config, members }: StoredNetwork): string {
  const modes = [
    config.private ? "private" : "public",
    config.v6AssignMode["6plane"] ? "6PLANE" : "no 6PLANE",
    config.v4AssignMode.zt ? "IPv4 auto-assign" : "no IPv4 auto-assign",
    ...config.ipAssignmentPools.map((range) => `pool ${range.ipRangeStart}-${range.ipRangeEnd}`),
  ];
  return `<h2>Network ${escapeHtml(id)}</h2>
<p>${escapeHtml(config.name || "without a name")}; ${escapeHtml(modes.join(", "))}</p>
<h3>Members</h3>
${table(
  ["Node", "Name", "Authorized", "Addresses", "Last seen"],
  members.map((member) => [
    member.node,
    member.name,
    member.config.authorized ? "yes" : "no",
    member.config.ipAssignments.join(", "),
    member.lastSeen === 0 ? "never" : new Date(member.lastSeen).toISOString(),
  ]),
)}
<h3>Managed routes</h3>
${table(
  ["Target", "Via"],
  config.routes.map(({ target, via }) => [target, via ?? "on-link"]),
)}`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "<p>None.</p>";
  const head = heads.map((text) => `<th>${escapeHtml(text)}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((text) => `<td>${escapeHtml(text)}</td>`).join("")}</tr>`);
  return `<table>\n<tr>${head}</tr>\n${body.join("\n")}\n</table>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
