/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import {
  type ReservationEnd,
  type ReservationView,
  reservationEndSchema,
  reservationSchema,
  reservationsSchema,
} from "../schema/reservation.ts";
import { type Api, Refused } from "./api.ts";
import { Decide } from "./decide.tsx";
import { NextPage, partQuery } from "./next-page.tsx";
import { Notice, page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { pageStatus } from "./refusal-page.tsx";
import { isOutdated, Outdated, Seen } from "./seen.tsx";
import { TimeAgo } from "./time-ago.tsx";
import { demand, may } from "./visitor.ts";

/** `/reservations`: names that keep their slots; one is given up after a look at what ends with it. */
export function reservationsPages(pages: Pages): void {
  pages.show("/reservations", (api, c) => showReservations(c, api));

  pages.act("/reservations", async (api, c, form) => {
    const [name, slot] = [form("name"), form("slot")];
    const body = { name, ...(slot !== "" && { slot: Number(slot) }) };
    try {
      await api.ask("POST", "/v1/reservations", reservationSchema, { body });
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      return showReservations(c, api, { name, slot, refused: error });
    }
    return c.redirect("/reservations", 303);
  });

  pages.show("/reservations/:name/give-up", async (api, c) => {
    demand(c, "nodes");
    return showEnd(c, await endOf(api, c), false);
  });

  pages.act("/reservations/:name/give-up", async (api, c, form) => {
    if (form.all("seen").length > 0) {
      const end = await endOf(api, c);
      if (isOutdated(form, [whatEnds(end)])) return showEnd(c, end, true);
    }
    await api.tell("DELETE", pathOf(c));
    return c.redirect("/reservations", 303);
  });
}

function endOf(api: Api, c: Context<App>): Promise<ReservationEnd> {
  return api.ask("DELETE", `${pathOf(c)}?dryRun=true`, reservationEndSchema);
}

/** Whose name and which keys it would be. */
function whatEnds({ node, keys }: ReservationEnd): string {
  return [node ?? "nobody", ...[...keys].sort()].join(" ");
}

function showEnd(c: Context<App>, end: ReservationEnd, isAgain: boolean): Response | Promise<Response> {
  const body = <EndPreview end={end} isAgain={isAgain} />;
  return page(c, { title: `Give up ${end.name}`, place: "/reservations", body });
}

function pathOf(c: Context<App>): string {
  return `/v1/reservations/${encodeURIComponent(c.req.param("name") ?? "")}`;
}

/** What was asked for and not given. */
interface Tried {
  readonly name: string;
  readonly slot: string;
  readonly refused: Refused;
}

async function showReservations(c: Context<App>, api: Api, tried?: Tried): Promise<Response> {
  const { items, next } = await api.ask("GET", `/v1/reservations${partQuery(c)}`, reservationsSchema);
  const mayChange = may(c, "nodes");
  const body = (
    <>
      <h1>Reservations</h1>
      <p>
        A name that keeps its slot, and with it its IPv4 addresses: also while no server has it, and when
        another one takes its place.
      </p>
      {tried !== undefined && (
        <Notice>
          <p>{tried.refused.detail}</p>
        </Notice>
      )}
      {mayChange && <ReserveForm name={tried?.name ?? ""} slot={tried?.slot ?? ""} />}
      {items.length === 0 ? (
        <p>No name is reserved.</p>
      ) : (
        <Table items={items} now={Date.now()} mayChange={mayChange} mayAdd={may(c, "keys")} />
      )}
      <NextPage path="/reservations" next={next} />
    </>
  );
  return page(c, {
    ...{ title: "Reservations", place: "/reservations", body },
    // The answer to a form cannot be asked for again.
    ...(tried === undefined
      ? { live: ["reservations"] }
      : { status: pageStatus(tried.refused.status), retryAfter: tried.refused.retryAfter }),
  });
}

function ReserveForm({ name, slot }: { name: string; slot: string }) {
  return (
    <form class="row" method="post" action="/reservations">
      <label>
        Name
        <input name="name" value={name} required maxlength={63} autocapitalize="none" spellcheck={false} />
      </label>
      <label>
        Slot (left out: its own, or a free one)
        <input name="slot" value={slot} inputmode="numeric" pattern="[0-9]*" maxlength={8} />
      </label>
      <button type="submit">Reserve</button>
    </form>
  );
}

function Table(props: {
  items: readonly ReservationView[];
  now: number;
  mayChange: boolean;
  mayAdd: boolean;
}) {
  const { items, now, mayChange, mayAdd } = props;
  return (
    <table>
      <caption>By name</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Slot</th>
          <th scope="col">Server</th>
          <th scope="col" class="wide">
            Addresses
          </th>
          <th scope="col" class="wide">
            Since
          </th>
          <th scope="col">
            <span class="unseen">What to do</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ name, slot, node, zerotier, docker, createdAt }) => (
          <tr id={`reservation-${name}`}>
            <th scope="row">{name}</th>
            <td>{slot}</td>
            <td>
              {node !== null ? (
                <a href={`/servers/${node}`}>{node}</a>
              ) : (
                <>
                  none now
                  {mayAdd && (
                    <>
                      , <a href={`/add?${new URLSearchParams({ reserved: name })}`}>add it</a>
                    </>
                  )}
                </>
              )}
            </td>
            <td class="wide address">
              {zerotier.ipv4}
              <br />
              {docker.ipv4.subnet}
            </td>
            <td class="wide">
              <TimeAgo time={createdAt} now={now} />
            </td>
            <td>
              {mayChange && (
                <a
                  class="button danger"
                  href={`/reservations/${name}/give-up`}
                  aria-label={`Give up ${name}`}
                >
                  Give up…
                </a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What ends with a reservation, before it is given up. */
function EndPreview({ end, isAgain }: { end: ReservationEnd; isAgain: boolean }) {
  const { name, slot, node, keys } = end;
  return (
    <>
      <h1>Give up {name}</h1>
      <Outdated isAgain={isAgain} />
      <ul>
        {node === null ? (
          <li>
            Slot {slot} goes to whichever server comes next, and {name} to whoever is called so.
          </li>
        ) : (
          <li>
            <a href={`/servers/${node}`}>{node}</a> keeps its lease, with name and slot {slot}; but time may
            end that from now on, and then both are free.
          </li>
        )}
        {keys.length === 0 ? (
          <li>No key was made for it that is still good.</li>
        ) : (
          <li>
            Taken back with it: {keys.length === 1 ? "the key" : `the keys`}{" "}
            {keys.map((key, at) => (
              <>
                {at > 0 && ", "}
                <code>{key}</code>
              </>
            ))}
            .
          </li>
        )}
      </ul>
      <Decide action={`/reservations/${name}/give-up`} done="Give it up" back="/reservations">
        <Seen what={whatEnds(end)} />
      </Decide>
    </>
  );
}
