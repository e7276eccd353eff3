/** @jsxImportSource hono/jsx */
import { type BacklogView, type ControllerView, controllerSchema } from "../schema/controller.ts";
import { healthSchema, type WorkerHealth } from "../schema/health.ts";
import { controllerAbilities } from "./controller-abilities.ts";
import { Health } from "./health.tsx";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { TimeAgo } from "./time-ago.tsx";
import { may } from "./visitor.ts";

/** `/controller`: how the ZeroTier controller stands, what it is still to be told, and what of its limits is used. */
export function controllerPage(pages: Pages): void {
  pages.show("/controller", async (api, c) => {
    const [controller, health] = await Promise.all([
      api.ask("GET", "/v1/controller", controllerSchema),
      api.ask("GET", "/healthz", healthSchema, { orStatus: 503 }),
    ]);
    const parts = { controller, health, now: Date.now(), mayRepair: may(c, "nodes") };
    const body = <Controller {...parts} />;
    return page(c, { title: "Controller", place: "/controller", live: ["controller"], body });
  });
}

function Controller(props: {
  controller: ControllerView;
  health: WorkerHealth;
  now: number;
  mayRepair: boolean;
}) {
  const { controller, health, now, mayRepair } = props;
  const { kind, capabilities, url, own, network, checkedAt, unreachable, calls, routes, outbox } = controller;
  return (
    <>
      <h1>Controller</h1>
      <Health health={health} />
      <dl>
        <dt>Kind</dt>
        <dd>
          <code>{kind}</code>
          <ul>
            {controllerAbilities(capabilities).map((ability) => (
              <li>{ability}</li>
            ))}
          </ul>
        </dd>
        <dt>Where it is</dt>
        <dd>{url === null ? <Host own={own} now={now} /> : <code>{url}</code>}</dd>
        <dt>Network</dt>
        <dd>
          <code>{network}</code>
        </dd>
        <dt>Looked at</dt>
        <dd>{checkedAt === null ? "not yet" : <TimeAgo time={checkedAt} now={now} />}</dd>
        {unreachable !== null && (
          <>
            <dt>Could not be read</dt>
            <dd>
              <TimeAgo time={unreachable.at} now={now} />: {unreachable.fault}
            </dd>
          </>
        )}
        <dt>Calls</dt>
        <dd>
          <label>
            {calls.lately} of {calls.limit} that may leave in a second
            <meter min={0} max={calls.limit} value={calls.lately} />
          </label>
          {calls.waiting > 0 && `${calls.waiting} wait for their turn. `}
          {calls.heldUntil !== null && (
            <>
              It takes none, by its own word: again <TimeAgo time={calls.heldUntil} now={now} />
            </>
          )}
        </dd>
        <dt>Managed routes</dt>
        <dd>
          <label>
            {routes.ours} of {routes.limit} that Meshboot may set
            <meter min={0} max={Math.max(1, routes.limit)} value={routes.ours} />
          </label>
        </dd>
      </dl>
      <h2>What is still to be told</h2>
      <table>
        <caption>Tried again by itself</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Waits</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          <Backlog name="Servers, to the controller" backlog={outbox.member} now={now} />
          <Backlog name="Managed routes, to the controller" backlog={outbox.routes} now={now} />
          <Backlog name="Copies of leases, to Workers KV" backlog={outbox.copy} now={now} />
        </tbody>
      </table>
      {mayRepair && (
        <>
          <h2>Does it have what it should?</h2>
          <p>It is compared every hour by itself, and put right.</p>
          <p>
            <a class="button" href="/controller/drift">
              Compare now…
            </a>
          </p>
        </>
      )}
    </>
  );
}

/** The server that hosts it. */
function Host({ own, now }: { own: ControllerView["own"]; now: number }) {
  if (own === null || own.turn === null) return <>nowhere yet: the first server that comes in hosts it</>;
  const { node, name, number, askedAt, whole } = own.turn;
  return (
    <>
      on <a href={`/servers/${node}`}>{name ?? node}</a>, turn {number}
      {askedAt === null ? (
        ", which has not asked yet"
      ) : (
        <>
          , which asked <TimeAgo time={askedAt} now={now} />
        </>
      )}
      {!whole && "; it is being told what the one before it knew"}
    </>
  );
}

function Backlog({ name, backlog, now }: { name: string; backlog: BacklogView; now: number }) {
  const { waiting, oldestAt, failing, fault, heldUntil } = backlog;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {waiting === 0 || oldestAt === null ? (
          <span class="good">nothing</span>
        ) : (
          <>
            {waiting}, the oldest from <TimeAgo time={oldestAt} now={now} />
          </>
        )}
      </td>
      <td class="long">
        {failing > 0 && (
          <span class="failed">
            {failing} not taken: {fault ?? "no reason is known"}
          </span>
        )}
        {heldUntil !== null && (
          <div>
            tried again <TimeAgo time={heldUntil} now={now} />
          </div>
        )}
      </td>
    </tr>
  );
}
