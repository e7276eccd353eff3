/** @jsxImportSource hono/jsx */

import { rateLimited } from "../http/guards.ts";
import { SHOWN_STATES } from "../lease/lease-times.ts";
import type { FirstBootView } from "../schema/first-boot.ts";
import { healthSchema, type WorkerHealth } from "../schema/health.ts";
import { nodesSchema } from "../schema/lease.ts";
import { fact, shownAs, trouble } from "../schema/server-words.ts";
import { Choose, Tick } from "./choose.tsx";
import { askCounts, Counts, type StateCounts } from "./counts.tsx";
import { NextStep } from "./first-ping.tsx";
import { Health } from "./health.tsx";
import { NextPage } from "./next-page.tsx";
import type { Node } from "./node.ts";
import { withCookie } from "./onward-page.tsx";
import { ownPath } from "./own-path.ts";
import { page } from "./page.tsx";
import type { Pages, Show } from "./pages.ts";
import { askSilences } from "./reach-silences.ts";
import { sessionOf } from "./session-cookie.ts";
import { signInPage } from "./sign-in-page.tsx";
import { askStandingBoots, StandingBoots } from "./standing-boots.tsx";
import { Tags } from "./tags.tsx";
import { sayAgo, TimeAgo } from "./time-ago.tsx";
import { may } from "./visitor.ts";

/** What the list is asked for, as it stands in the page's own address. */
interface ServerSearch {
  readonly name: string;
  readonly state: string;
  readonly tag: string;
  /** "true": those alone that run another agent than this Worker's. */
  readonly behind: string;
  /** The id of the enrolment key that let them in. */
  readonly key: string;
  readonly sort: string;
  readonly cursor: string;
}

const SORTS = [
  ["name", "Name"],
  ["-name", "Name, Z first"],
  ["slot", "Slot"],
  ["-lastSeen", "Seen last"],
  ["lastSeen", "Not seen for longest"],
] as const;

/** The query of the API's list, and of this page: what is not asked for is left out. */
function queryOf(search: ServerSearch): string {
  const asked = paramsOf(search);
  return asked.size === 0 ? "" : `?${asked}`;
}

function paramsOf(search: ServerSearch): URLSearchParams {
  return new URLSearchParams(Object.entries(search).filter(([, value]) => value !== ""));
}

/** `/`: for whoever is not signed in, the way in. */
export function serversPage(pages: Pages): void {
  pages.app.get("/", rateLimited, withCookie, async (c) =>
    sessionOf(c) === undefined
      ? signInPage(c, { to: ownPath(c.req.query("to") ?? "") })
      : pages.signedIn(c, showServers),
  );
}

const showServers: Show = async (api, c) => {
  if (!may(c, "read", "nodes")) return c.redirect("/keys", 303);
  const asked = (name: keyof ServerSearch): string => c.req.query(name)?.trim() ?? "";
  const search: ServerSearch = {
    ...{ name: asked("name").toLowerCase(), state: asked("state"), tag: asked("tag") },
    ...{ behind: asked("behind"), key: asked("key"), sort: asked("sort"), cursor: asked("cursor") },
  };
  const [list, health, silences, boots] = await Promise.all([
    api.ask("GET", `/v1/nodes${queryOf(search)}`, nodesSchema),
    api.ask("GET", "/healthz", healthSchema, { orStatus: 503 }),
    askSilences(api, c),
    askStandingBoots(api, c),
  ]);
  const counts = await askCounts(api, health.nodes);
  const mayChange = may(c, "nodes");
  // The API's filter goes by the lease, and finds those too that are shown as failed.
  const items = list.items.filter((node) => search.state === "" || shownAs(node) === search.state);
  // All ticked: without a script that takes another page.
  const parts = {
    ...{ list: { items, next: list.next }, search, health, counts, silences, boots },
    ...{ now: Date.now(), mayAdd: may(c, "keys"), mayChange },
  };
  const chosen = c.req.query("chosen");
  const body = <Servers {...parts} chosen={chosen} />;
  return page(c, {
    ...{ title: "Servers", place: "/", body },
    // Asked for once more, it would have all ticked that came in meanwhile.
    ...(chosen === "all" ? {} : { live: ["servers", "controller", "first-boots"] }),
  });
};

/** What the list of servers shows. */
interface Listed {
  readonly items: readonly Node[];
  readonly next: string | null;
}

/** The list of servers: which there are, and what is wrong. `now`: ms since 1970. */
function Servers(props: {
  list: Listed;
  search: ServerSearch;
  health: WorkerHealth;
  /** How many are shown as what. */
  counts: StateCounts;
  silences: ReadonlyMap<string, string>;
  /** The newest first boots. */
  boots: readonly FirstBootView[];
  now: number;
  mayAdd: boolean;
  mayChange: boolean;
  /** "all": all on this page are ticked. */
  chosen: string | undefined;
}) {
  const { list, search, health, counts, silences, boots, now, mayAdd, mayChange, chosen } = props;
  const isAll = queryOf({ ...search, sort: "" }) === "" && list.next === null;
  const shown = { items: list.items, silences, now, mayChoose: mayChange, isAllChosen: chosen === "all" };
  const table = <Table {...shown} />;
  return (
    <>
      <h1>Servers</h1>
      {(health.status !== "ok" || health.warnings.length > 0) && <Health health={health} />}
      <StandingBoots boots={boots} now={now} />
      <Counts counts={counts} />
      <SearchForm search={search} />
      {list.items.length === 0 ? (
        <Nothing search={search} isEnd={list.next === null} mayAdd={mayAdd} />
      ) : mayChange ? (
        <Choose
          changes={["approve", "revoke", "retire", "delete"]}
          isTaggable
          from={`/${queryOf(search)}`}
          chosen={chosen}
        >
          {table}
          <p>
            <a href={`/?${new URLSearchParams([...paramsOf(search), ["chosen", "all"]])}`}>
              Tick all on this page
            </a>
          </p>
        </Choose>
      ) : (
        table
      )}
      <NextPage
        path="/"
        search={paramsOf(search)}
        next={list.next}
        text={list.items.length === 0 ? "Look on" : undefined}
      />
      {isAll && <NextStep nodes={list.items} mayAdd={mayAdd} />}
    </>
  );
}

function SearchForm({ search }: { search: ServerSearch }) {
  return (
    <search>
      <form class="row" method="get" action="/">
        <label>
          Name (* for any characters)
          <input name="name" value={search.name} maxlength={127} autocapitalize="none" spellcheck={false} />
        </label>
        <label>
          State
          <select name="state">
            <option value="">any</option>
            {SHOWN_STATES.map((state) => (
              <option value={state} selected={state === search.state}>
                {state}
              </option>
            ))}
          </select>
        </label>
        <label>
          Tag
          <input name="tag" value={search.tag} maxlength={32} autocapitalize="none" spellcheck={false} />
        </label>
        <label>
          Order
          <select name="sort">
            {SORTS.map(([value, name]) => (
              <option value={value} selected={value === search.sort}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input type="checkbox" name="behind" value="true" checked={search.behind !== ""} /> Behind this
          Worker's agent
        </label>
        <button type="submit">Search</button>
      </form>
    </search>
  );
}

function Nothing(props: { search: ServerSearch; isEnd: boolean; mayAdd: boolean }) {
  const { search, isEnd, mayAdd } = props;
  if (!isEnd) return <p>None among the servers that were looked through.</p>;
  if (search.key !== "")
    return (
      <p>
        No server has come in with that key yet. Load this page again, or look at <a href="/">all servers</a>.
      </p>
    );
  if (queryOf({ ...search, sort: "", cursor: "" }) !== "")
    return (
      <p>
        No server is like that. <a href="/">All servers</a>
      </p>
    );
  if (!mayAdd) return <p>There is no server yet.</p>;
  return (
    <p>
      There is no server yet. <a href="/add">Add the first</a>: you get user-data to paste where you order it.
    </p>
  );
}

function Table(props: {
  items: readonly Node[];
  silences: ReadonlyMap<string, string>;
  now: number;
  mayChoose: boolean;
  isAllChosen: boolean;
}) {
  const { items, silences, now, mayChoose, isAllChosen } = props;
  return (
    <table>
      <caption>
        {items.length} {items.length === 1 ? "server" : "servers"} on this page
      </caption>
      <thead>
        <tr>
          {mayChoose && (
            <th scope="col">
              <span class="unseen">Choose</span>
            </th>
          )}
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">What is wrong</th>
          <th scope="col" class="wide">
            Addresses
          </th>
          <th scope="col" class="wide">
            Provider
          </th>
          <th scope="col" class="wide">
            Versions
          </th>
          <th scope="col" class="roomy">
            Seen
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((node) => (
          <tr id={`server-${node.node}`}>
            {mayChoose && (
              <td>
                <Tick node={node} isChosen={isAllChosen} />
              </td>
            )}
            <Cells node={node} silence={silences.get(node.node)} now={now} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cells({ node, silence, now }: { node: Node; silence: string | undefined; now: number }) {
  return (
    <>
      <th scope="row">
        <a href={`/servers/${node.node}`}>{node.name}</a>
        {node.tags.length > 0 && (
          <div class="quiet">
            <Tags tags={node.tags} />
          </div>
        )}
      </th>
      <td>
        <span class={`state ${shownAs(node)}`}>{shownAs(node)}</span>
      </td>
      <td>{trouble(node, (time) => sayAgo(Date.parse(time), now), silence) ?? ""}</td>
      <td class="wide address">
        {node.zerotier.ipv4}
        <br />
        {node.docker.ipv4.subnet}
      </td>
      <td class="wide">{fact(node, "provider")}</td>
      <td class="wide">
        {[
          [versionOf("agent", fact(node, "agent")), versionOf("ZeroTier", fact(node, "zerotier"))],
          [versionOf("Docker", fact(node, "docker")), fact(node, "os")],
        ].map((line) => (
          <div>{line.filter((part) => part !== "").join(", ")}</div>
        ))}
        {node.behind === true && <div class="offline">behind this Worker's agent</div>}
      </td>
      <td class="roomy">
        <TimeAgo time={node.lastSeen} now={now} />
      </td>
    </>
  );
}

function versionOf(name: string, version: string): string {
  return version === "" ? "" : `${name} ${version}`;
}
