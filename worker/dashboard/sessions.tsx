/** @jsxImportSource hono/jsx */
import { currentSessionSchema, type SessionView, sessionsSchema } from "../schema/session.ts";
import { NextPage, partQuery } from "./next-page.tsx";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { TimeAgo } from "./time-ago.tsx";

/** `/sessions`: who is signed in. */
export function sessionsPage(pages: Pages): void {
  pages.show("/sessions", async (api, c) => {
    const [{ items, next }, { id }] = await Promise.all([
      api.ask("GET", `/v1/sessions${partQuery(c)}`, sessionsSchema),
      api.ask("GET", "/v1/sessions/current", currentSessionSchema),
    ]);
    const body = (
      <>
        <h1>Sessions</h1>
        <p>Whoever is signed in, with which token and from where.</p>
        <Table sessions={items} own={id} now={Date.now()} />
        <NextPage path="/sessions" next={next} />
      </>
    );
    return page(c, { title: "Sessions", place: "/sessions", live: ["sessions"], body });
  });

  pages.act("/sessions/:id/end", async (api, c) => {
    await api.tell("DELETE", `/v1/sessions/${encodeURIComponent(c.req.param("id") ?? "")}`);
    return c.redirect("/sessions", 303);
  });
}

/** `own`: the id of the session that the page is asked for with. */
function Table(props: { sessions: readonly SessionView[]; own: string | null; now: number }) {
  const { sessions, own, now } = props;
  return (
    <table>
      <caption>In the order of their beginning</caption>
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">From</th>
          <th scope="col">Begun</th>
          <th scope="col" class="wide">
            Ends
          </th>
          <th scope="col">
            <span class="unseen">What to do</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {sessions.map(({ id, token, address, createdAt, expiresAt }) => (
          <tr id={`session-${id}`}>
            <th scope="row" class="long">
              <code>{token}</code>
              {id === own && <div class="good">this one</div>}
            </th>
            <td class="long">{address ?? "not known"}</td>
            <td>
              <TimeAgo time={createdAt} now={now} />
            </td>
            <td class="wide">
              <TimeAgo time={expiresAt} now={now} />
            </td>
            <td>
              <form method="post" action={`/sessions/${id}/end`}>
                <button
                  type="submit"
                  class="danger"
                  aria-label={`End the session of ${token} from ${address ?? "nowhere known"}`}
                >
                  End
                </button>
              </form>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
