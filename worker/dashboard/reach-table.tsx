/** @jsxImportSource hono/jsx */
import type { ReachOfServer, ReachPair } from "../schema/reach.ts";
import { sayMs } from "./reach-words.ts";
import { Wrong } from "./reach-wrong.tsx";
import { TimeAgo } from "./time-ago.tsx";

/** What one server found of others, a row each, below what is wrong. `now`: ms since 1970. */
export function ReachTable({ reach, now }: { reach: ReachOfServer; now: number }) {
  if (reach.pairs.length === 0 || reach.at === null) return <Wrong servers={[reach]} now={now} />;
  return (
    <>
      <Wrong servers={[reach]} now={now} />
      <table class="pairs">
        <caption>
          From its containers' address, <TimeAgo time={reach.at} now={now} />
        </caption>
        <thead>
          <tr>
            <th scope="col">To</th>
            <th scope="col">IPv4</th>
            <th scope="col">IPv6</th>
            <th scope="col">Path</th>
          </tr>
        </thead>
        <tbody>
          {reach.pairs.map((pair) => (
            <tr>
              <th scope="row">
                <a href={`/servers/${pair.node}`}>{pair.name}</a>
              </th>
              <Found family={pair.ipv4} />
              <Found family={pair.ipv6} />
              <td>{pair.path ?? "not known"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Found({ family }: { family: ReachPair["ipv4"] }) {
  if (family === null) return <td class="quiet">not probed</td>;
  if (!family.answers) return <td class="failed">no answer</td>;
  const { rttMs, loss, mtu } = family;
  return (
    <td class={mtu === null || loss > 0 ? "offline" : "good"}>
      {rttMs !== null && `${sayMs(rttMs)} ms`}
      {mtu === null ? ", small packets alone" : `, ${mtu} bytes`}
      {loss > 0 && `, ${loss} % lost`}
    </td>
  );
}
