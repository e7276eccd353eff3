/** @jsxImportSource hono/jsx */
import { PROBLEMS } from "../schema/problem-kinds.ts";
import { type RefusalView, refusalsSchema } from "../schema/refusals.ts";
import { NextPage, partQuery } from "./next-page.tsx";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { TimeAgo } from "./time-ago.tsx";

/** `/refusals`: the servers that were not let in, and why. */
export function refusalsPage(pages: Pages): void {
  pages.show("/refusals", async (api, c) => {
    const { items, next } = await api.ask("GET", `/v1/refusals${partQuery(c)}`, refusalsSchema);
    const body = (
      <>
        <h1>Refused servers</h1>
        <p>
          Servers that asked to be let in and were not. What passes by itself is forgotten when the server is
          in.
        </p>
        {items.length === 0 ? <p>None was refused.</p> : <Table refusals={items} now={Date.now()} />}
        <NextPage path="/refusals" next={next} />
      </>
    );
    return page(c, { title: "Refused servers", place: "/refusals", live: ["refusals"], body });
  });
}

function Table({ refusals, now }: { refusals: readonly RefusalView[]; now: number }) {
  return (
    <table>
      <caption>The latest first</caption>
      <thead>
        <tr>
          <th scope="col">Server</th>
          <th scope="col">Why</th>
          <th scope="col" class="wide">
            Called from
          </th>
          <th scope="col" class="wide">
            Key
          </th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {refusals.map(({ problem, node, name, key, address, about, firstAt, lastAt }) => (
          <tr>
            <th scope="row">
              {name}
              <div class="quiet">
                <code>{node}</code>
              </div>
            </th>
            <td class="long">
              <a href={problem}>{titleOf(problem)}</a>
              {about !== null && <div class="quiet">{about}</div>}
            </td>
            <td class="wide">{address ?? "not known"}</td>
            <td class="wide">{key === null ? "none that is known" : <code>{key}</code>}</td>
            <td>
              <TimeAgo time={lastAt} now={now} />
              {firstAt !== lastAt && (
                <div class="quiet">
                  first <TimeAgo time={firstAt} now={now} />
                </div>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a problem is called; one of a later version by its type. */
function titleOf(type: string): string {
  const name = type.replace(/^\/problems\//, "");
  return Object.entries(PROBLEMS).find(([known]) => known === name)?.[1].title ?? type;
}
