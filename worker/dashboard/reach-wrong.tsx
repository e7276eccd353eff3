/** @jsxImportSource hono/jsx */
import type { ReachOfServer } from "../schema/reach.ts";
import { faultOf, wrongWith } from "./reach-words.ts";
import { TimeAgo } from "./time-ago.tsx";

/** What is wrong between servers, a clause each, or that nothing is. `now`: ms since 1970. */
export function Wrong({ servers, now }: { servers: readonly ReachOfServer[]; now: number }) {
  const faults = servers.flatMap((reach) => faultOf(reach) ?? []);
  const wrongs = servers.flatMap(({ name, at, pairs }) =>
    pairs.flatMap((pair) => {
      const wrong = wrongWith(name, pair);
      return wrong === undefined || at === null ? [] : [{ wrong, at }];
    }),
  );
  const probed = servers.some(({ pairs }) => pairs.some(({ ipv4, ipv6 }) => ipv4 !== null || ipv6 !== null));
  if (faults.length + wrongs.length === 0)
    return (
      <p>
        {probed
          ? "All who were probed answer."
          : "Nobody has probed yet. A server does a minute after a report that names it another one, and about hourly from then on."}
      </p>
    );
  return (
    <ul>
      {faults.map((fault) => (
        <li>{fault}</li>
      ))}
      {wrongs.map(({ wrong, at }) => (
        <li>
          <span class="failed">{wrong}</span>{" "}
          <span class="quiet">
            (<TimeAgo time={at} now={now} />)
          </span>
        </li>
      ))}
    </ul>
  );
}
