/** @jsxImportSource hono/jsx */
import { nodesSchema } from "../schema/lease.ts";
import { type ReachOfServer, type ReachPair, reachSchema } from "../schema/reach.ts";
import { page } from "./page.tsx";
import type { Pages, Show } from "./pages.ts";
import { ReachTable } from "./reach-table.tsx";
import { roundTrip, wrongWith } from "./reach-words.ts";
import { Wrong } from "./reach-wrong.tsx";

/** Servers of which the picture can be read; of more there is what is wrong. They all probe each other within the hour. */
const LEGIBLE = 25;

/** `/reach`: who reaches whom. */
export function reachPage(pages: Pages): void {
  pages.show("/reach", showReach);
}

const showReach: Show = async (api, c) => {
  const name = c.req.query("name")?.trim().toLowerCase() ?? "";
  const cursor = c.req.query("cursor") ?? "";
  const now = Date.now();
  const titled = { title: "Reach", place: "/reach", live: ["servers"] } as const;
  if (name !== "") {
    const found = await api.ask("GET", `/v1/nodes?${new URLSearchParams({ name, limit: "1" })}`, nodesSchema);
    const node = found.items[0];
    const reach =
      node === undefined ? undefined : await api.ask("GET", `/v1/reach?node=${node.node}`, reachSchema);
    return page(c, { ...titled, body: <OfOne name={name} reach={reach?.items[0]} now={now} /> });
  }
  const all = cursor === "" ? await api.ask("GET", `/v1/reach?limit=${LEGIBLE}`, reachSchema) : undefined;
  if (all !== undefined && all.next === null)
    return page(c, { ...titled, body: <OfAll servers={all.items} now={now} /> });
  const asked = new URLSearchParams({ silent: "true", ...(cursor !== "" && { cursor }) });
  const { items, next } = await api.ask("GET", `/v1/reach?${asked}`, reachSchema);
  return page(c, { ...titled, body: <OfMany servers={items} next={next} now={now} /> });
};

function OfOne({ name, reach, now }: { name: string; reach: ReachOfServer | undefined; now: number }) {
  return (
    <>
      <h1>Reach of {name}</h1>
      <SearchForm name={name} />
      {reach === undefined ? <p>No server is called so.</p> : <ReachTable reach={reach} now={now} />}
      <p>
        <a href="/reach">All servers</a>
      </p>
    </>
  );
}

/** A small mesh: a cell for each pair. */
function OfAll({ servers, now }: { servers: readonly ReachOfServer[]; now: number }) {
  return (
    <>
      <h1>Reach</h1>
      {servers.length < 2 ? (
        <p>
          A link takes two servers, and there {servers.length === 1 ? "is one" : "is none"}.{" "}
          <a href="/add">Add one</a>: a few minutes later this page has what they find of each other.
        </p>
      ) : (
        <>
          <Wrong servers={servers} now={now} />
          <Matrix servers={servers} />
        </>
      )}
    </>
  );
}

/** A large one: what is wrong alone. */
function OfMany(props: { servers: readonly ReachOfServer[]; next: string | null; now: number }) {
  const { servers, next, now } = props;
  return (
    <>
      <h1>Reach</h1>
      <SearchForm name="" />
      {servers.length === 0 ? (
        <p>
          {next === null
            ? "Nobody is known to miss an answer."
            : "Nobody among those that were looked through."}
        </p>
      ) : (
        <Wrong servers={servers} now={now} />
      )}
      {next !== null && (
        <p>
          <a class="button" rel="next" href={`/reach?${new URLSearchParams({ cursor: next })}`}>
            Look on
          </a>
        </p>
      )}
    </>
  );
}

function SearchForm({ name }: { name: string }) {
  return (
    <search>
      <form class="row" method="get" action="/reach">
        <label>
          Name of a server
          <input name="name" value={name} maxlength={63} autocapitalize="none" spellcheck={false} />
        </label>
        <button type="submit">Show</button>
      </form>
    </search>
  );
}

/** Who reaches whom, in ms. */
function Matrix({ servers }: { servers: readonly ReachOfServer[] }) {
  return (
    <>
      <section class="scroll" tabindex={0} aria-label="Who reaches whom">
        <table class="matrix">
          <caption>From each row's server to each column's: the round trip in ms</caption>
          <thead>
            <tr>
              <td />
              {servers.map(({ name }) => (
                <th scope="col">
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {servers.map((from) => (
              <tr>
                <th scope="row">
                  <a href={`/servers/${from.node}`}>{from.name}</a>
                </th>
                {servers.map((to) => (
                  <Cell from={from} to={to} pair={from.pairs.find(({ node }) => node === to.node)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="quiet">
        “?”: not probed. A server probes a few others, not all of a large mesh, about hourly; one that is new
        or away has probed nobody yet. “none”: no answer.
      </p>
    </>
  );
}

function Cell({ from, to, pair }: { from: ReachOfServer; to: ReachOfServer; pair: ReachPair | undefined }) {
  if (from.node === to.node) return <td class="itself" />;
  if (pair === undefined) return <td class="quiet">?</td>;
  const wrong = wrongWith(from.name, pair);
  const isSilent = pair.ipv4?.answers === false || pair.ipv6?.answers === false;
  return (
    <td class={isSilent ? "failed" : wrong !== undefined || pair.path === "relayed" ? "offline" : "good"}>
      {roundTrip(pair) ?? "none"}
      {isSilent &&
        roundTrip(pair) !== undefined &&
        (pair.ipv4?.answers === false ? ", no IPv4" : ", no IPv6")}
      {!isSilent && wrong !== undefined && ", small packets alone"}
      {pair.path === "relayed" && ", relayed"}
    </td>
  );
}
