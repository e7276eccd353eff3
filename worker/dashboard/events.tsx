/** @jsxImportSource hono/jsx */
import { DEED_ACTIONS } from "../lease/deed.ts";
import { type EventView, eventsSchema } from "../schema/events.ts";
import { NextPage } from "./next-page.tsx";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { TimeAgo } from "./time-ago.tsx";

/** `/events`: who did what, and why. */
export function eventsPage(pages: Pages): void {
  pages.show("/events", async (api, c) => {
    const asked = ["action", "name", "node", "key", "cursor"].flatMap((field) => {
      const value = c.req.query(field)?.trim() ?? "";
      return value === "" ? [] : [[field, value]];
    });
    const search = new URLSearchParams(asked);
    const { items, next } = await api.ask("GET", `/v1/events?${search}`, eventsSchema);
    const body = (
      <>
        <h1>Events</h1>
        <SearchForm search={search} />
        {items.length === 0 ? (
          <p>
            {next === null ? "None is found." : "None among the thousand events that were looked through."}
          </p>
        ) : (
          <EventTable events={items} now={Date.now()} />
        )}
        <NextPage
          path="/events"
          search={search}
          next={next}
          text={items.length === 0 ? "Look on" : "Earlier ones"}
        />
      </>
    );
    return page(c, { title: "Events", place: "/events", live: ["events"], body });
  });
}

function SearchForm({ search }: { search: URLSearchParams }) {
  const action = search.get("action");
  const name = search.get("name") ?? "";
  return (
    <search>
      <form class="row" method="get" action="/events">
        {["node", "key"].map((field) => {
          const value = search.get(field);
          return value === null ? null : <input type="hidden" name={field} value={value} />;
        })}
        <label>
          What was done
          <select name="action">
            <option value="">anything</option>
            {DEED_ACTIONS.map((one) => (
              <option value={one} selected={one === action}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <label>
          Name of a server
          <input name="name" value={name} maxlength={63} autocapitalize="none" spellcheck={false} />
        </label>
        <button type="submit">Search</button>
      </form>
    </search>
  );
}

/** Events, the newest first. `now`: ms since 1970. */
export function EventTable({ events, now }: { events: readonly EventView[]; now: number }) {
  return (
    <table>
      <caption>The newest first</caption>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr id={`event-${event.id}`}>
            <td>
              <TimeAgo time={event.at} now={now} />
            </td>
            <td class="long">{whatOf(event)}</td>
            <td>{whoDid(event)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Whose deed it was. */
export function whoDid({ by }: EventView): string {
  return [by.who, by.id].filter((word) => word !== undefined).join(" ");
}

/** What was done to what, and why. */
function whatOf({ action, name, node, key, token, webhook, was, why }: EventView): string {
  const subjects = [
    name ?? node,
    key === null ? null : `key ${key}`,
    token === null ? null : `token ${token}`,
    webhook === null ? null : `webhook ${webhook}`,
  ].filter((subject) => subject !== null);
  const notes = [was === null ? null : `before: ${was}`, why].filter((note) => note !== null);
  return [action, ...subjects].join(" ") + (notes.length === 0 ? "" : ` (${notes.join("; ")})`);
}
