import type { ReachOfServer, ReachPair } from "../../worker/schema/reach.ts";
import { ago } from "./terminal/duration.ts";
import type { Column } from "./terminal/table.ts";

/** One server's look at another one. */
export interface Look {
  readonly from: string;
  readonly at: string | null;
  /** Null: of a server that does not probe. */
  readonly pair: ReachPair | null;
  readonly fault: string | null;
}

/** What servers found of each other, a look each. */
export function looksOf(servers: readonly ReachOfServer[]): Look[] {
  return servers.flatMap(({ name: from, at, fault, pairs }): Look[] =>
    pairs.length === 0 ? [{ from, at, fault, pair: null }] : pairs.map((pair) => ({ from, at, fault, pair })),
  );
}

/** The columns of a list of looks. `now`: ms since 1970. */
export const LOOK_COLUMNS = (now: number): readonly Column<Look>[] => [
  { title: "FROM", cell: ({ from }) => from },
  { title: "TO", cell: ({ pair, fault }) => pair?.name ?? fault ?? "nobody yet" },
  {
    title: "IPV4",
    cell: ({ pair }) => familyText(pair?.ipv4),
    style: ({ pair }) => (pair?.ipv4?.answers === false ? "red" : undefined),
  },
  {
    title: "IPV6",
    cell: ({ pair }) => familyText(pair?.ipv6),
    style: ({ pair }) => (pair?.ipv6?.answers === false ? "red" : undefined),
  },
  { title: "PATH", cell: ({ pair }) => pair?.path ?? "", dispensable: 2 },
  { title: "SEEN", cell: ({ at }) => (at === null ? "" : ago(at, now)), dispensable: 1 },
];

function familyText(family: ReachPair["ipv4"] | undefined): string {
  if (family === null || family === undefined) return "";
  const { answers, rttMs, loss, mtu } = family;
  if (!answers) return "no answer";
  return [
    rttMs === null ? "answers" : `${rttMs} ms`,
    ...(loss > 0 ? [`${loss} % lost`] : []),
    mtu === null ? "full packets are lost" : `${mtu} bytes`,
  ].join(", ");
}
