/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { z } from "zod";
import type { App } from "../http/context.ts";
import { type EventView, eventsSchema } from "../schema/events.ts";
import type { FirstBootView } from "../schema/first-boot.ts";
import { nodeDetailSchema, nodeSchema } from "../schema/lease.ts";
import { type ReachOfServer, reachSchema } from "../schema/reach.ts";
import { fact, shownAs, trouble } from "../schema/server-words.ts";
import { askAddedBy } from "./added-by.ts";
import { type Api, Refused } from "./api.ts";
import { Copyable } from "./copyable.tsx";
import { EventTable, whoDid } from "./events.tsx";
import { Findings } from "./findings.tsx";
import { bootsOf, FirstBoot } from "./first-boots.tsx";
import type { Form } from "./form.ts";
import { apiPathOf, type Node, nodeOf } from "./node.ts";
import { Notice, page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { askSilences } from "./reach-silences.ts";
import { ReachTable } from "./reach-table.tsx";
import { pageStatus } from "./refusal-page.tsx";
import { Tags, tagsIn } from "./tags.tsx";
import { sayAgo, TimeAgo } from "./time-ago.tsx";
import { may } from "./visitor.ts";

/** Events of a server's that its page shows. */
const EVENTS = 20;

/** `/servers/:node`, and what is changed there. */
export function serverPage(pages: Pages): void {
  pages.show("/servers/:node", (api, c) => showServer(c, api, nodeOf(c)));
  for (const verb of ["approve", "revoke", "rename", "tags"] as const)
    pages.act(`/servers/:node/${verb}`, (api, c, form) => changeServer(c, api, verb, nodeOf(c), form));
}

async function showServer(c: Context<App>, api: Api, id: string, refused?: Refused): Promise<Response> {
  const [node, reach, silences, events, boots] = await Promise.all([
    api.ask("GET", apiPathOf(id), nodeDetailSchema),
    may(c, "read") ? api.ask("GET", `/v1/reach?node=${encodeURIComponent(id)}`, reachSchema) : undefined,
    askSilences(api, c, id),
    may(c, "read")
      ? api.ask("GET", `/v1/events?limit=${EVENTS}&node=${encodeURIComponent(id)}`, eventsSchema)
      : undefined,
    may(c, "read", "keys") ? bootsOf(api, { node: id }) : [],
  ]);
  const parts = {
    node,
    added: await askAddedBy(api, c, node),
    reach: reach?.items[0],
    silence: silences.get(node.node),
    events,
    boot: boots[0],
    now: Date.now(),
    mayChange: may(c, "nodes"),
    fault: refused?.detail,
  };
  return page(c, {
    ...{ title: node.name, place: "/", body: <Server {...parts} /> },
    // The answer to a form cannot be asked for again.
    ...(refused === undefined
      ? { live: ["servers", "events", "first-boots"] }
      : { status: pageStatus(refused.status), retryAfter: refused.retryAfter }),
  });
}

async function changeServer(
  c: Context<App>,
  api: Api,
  verb: "approve" | "revoke" | "rename" | "tags",
  id: string,
  form: Form,
): Promise<Response> {
  const path = apiPathOf(id);
  try {
    if (verb === "rename") await api.ask("PATCH", path, nodeSchema, { body: { name: form("name") } });
    else if (verb === "tags")
      await api.ask("PATCH", path, nodeSchema, { body: { tags: tagsIn(form("tags")) } });
    else await api.ask("POST", `${path}/${verb}`, nodeSchema);
  } catch (error) {
    if (!(error instanceof Refused) || error.status === 401 || error.status === 404) throw error;
    return showServer(c, api, id, error);
  }
  return c.redirect(`/servers/${encodeURIComponent(id)}`, 303);
}

/** What the page of a server shows; `now`: ms since 1970. */
interface Parts {
  readonly node: z.output<typeof nodeDetailSchema>;
  /** By which somebody let it in; undefined: not known, or for nobody who may not read it. */
  readonly added: EventView | undefined;
  /** Whom it reaches; undefined: for nobody who may not read it. */
  readonly reach: ReachOfServer | undefined;
  /** What probes say against it. */
  readonly silence: string | undefined;
  /** Its newest events; undefined: for nobody who may not read them. */
  readonly events: z.output<typeof eventsSchema> | undefined;
  /** Its first boot; undefined: not known, or for nobody who may not see it. */
  readonly boot: FirstBootView | undefined;
  readonly now: number;
  readonly mayChange: boolean;
  /** Why what was asked for was not done. */
  readonly fault?: string | undefined;
}

/** All that is known of a server, and what can be done with it. */
function Server({ node, added, reach, silence, events, boot, now, mayChange, fault }: Parts) {
  const wrong = trouble(node, (time) => sayAgo(Date.parse(time), now), silence);
  const needsSomebody = node.failed !== null || node.worstFinding !== null || boot?.state === "failed";
  const reached = reach !== undefined && (
    <>
      <h2>Reach</h2>
      <ReachTable reach={reach} now={now} />
    </>
  );
  const told = (
    <>
      <Findings node={node} now={now} />
      <Report node={node} />
      {boot !== undefined && (
        <>
          <h2>Its first boot</h2>
          <FirstBoot boot={boot} now={now} />
        </>
      )}
    </>
  );
  return (
    <>
      <h1>{node.name}</h1>
      {fault !== undefined && (
        <Notice>
          <p>{fault}</p>
        </Notice>
      )}
      <p>
        <span class={`state ${shownAs(node)}`}>{shownAs(node)}</span>
        {wrong !== undefined && `, ${wrong}`}
      </p>
      {needsSomebody && told}
      {silence !== undefined && reached}
      {mayChange && <Actions node={node} />}
      <Addresses node={node} />
      <Facts node={node} added={added} now={now} maySeeEvents={events !== undefined} />
      {silence === undefined && reached}
      {!needsSomebody && told}
      {events !== undefined && <Events events={events} node={node} now={now} />}
    </>
  );
}

function Events(props: { events: z.output<typeof eventsSchema>; node: Node; now: number }) {
  const { events, node, now } = props;
  return (
    <>
      <h2>Events</h2>
      {events.items.length === 0 ? (
        <p>{events.next === null ? "None is found." : "None among the last thousand."}</p>
      ) : (
        <EventTable events={events.items} now={now} />
      )}
      {events.next !== null && (
        <p>
          <a href={`/events?node=${node.node}`}>Look further back</a>
        </p>
      )}
    </>
  );
}

function Actions({ node }: { node: Node }) {
  const at = `/servers/${node.node}`;
  return (
    <>
      <div class="actions">
        {(node.state === "pending" || node.state === "revoked") && (
          <form method="post" action={`${at}/approve`}>
            <button type="submit">Approve</button>
          </form>
        )}
        <a class="button" href={`${at}/replace`}>
          Replace…
        </a>
        <a class="button" href={`${at}/retire`}>
          Retire…
        </a>
        {node.state !== "revoked" && (
          <a class="button danger" href={`${at}/revoke`}>
            Revoke…
          </a>
        )}
        <a class="button danger" href={`${at}/delete`}>
          Delete…
        </a>
      </div>
      <form class="row" method="post" action={`${at}/rename`}>
        <label>
          Name
          <input
            name="name"
            value={node.name}
            required
            maxlength={63}
            autocapitalize="none"
            spellcheck={false}
          />
        </label>
        <button type="submit">Rename</button>
      </form>
      <form class="row" method="post" action={`${at}/tags`}>
        <label>
          Tags, with spaces between
          <input name="tags" value={node.tags.join(" ")} autocapitalize="none" spellcheck={false} />
        </label>
        <button type="submit">Change tags</button>
      </form>
    </>
  );
}

function Addresses({ node }: { node: Node }) {
  return (
    <>
      <h2>Addresses</h2>
      <dl>
        <Item name="On the mesh, IPv4">
          <WithPrefix name="IPv4 address on the mesh" address={node.zerotier.ipv4} />
        </Item>
        <Item name="On the mesh, IPv6">
          <WithPrefix name="IPv6 address on the mesh" address={node.zerotier.ipv6} />
        </Item>
        <Item name="Containers, IPv4">
          <Copyable name="IPv4 subnet of its containers" text={node.docker.ipv4.subnet} />, gateway{" "}
          <Copyable name="IPv4 gateway of its containers" text={node.docker.ipv4.gateway} />
        </Item>
        <Item name="Containers, IPv6">
          <Copyable name="IPv6 subnet of its containers" text={node.docker.ipv6.subnet} />, gateway{" "}
          <Copyable name="IPv6 gateway of its containers" text={node.docker.ipv6.gateway} />
        </Item>
        <Item name="Calls from">
          {node.address === null ? (
            "not known"
          ) : (
            <Copyable name="address that it calls from" text={node.address} />
          )}
        </Item>
        <Item name="Slot">{node.slot}</Item>
        <Item name="Node">
          <Copyable name="node id" text={node.node} />
        </Item>
      </dl>
    </>
  );
}

/** An address with the length of its prefix, of which the address alone is what other programs take. */
function WithPrefix({ name, address }: { name: string; address: string }) {
  const [alone = "", length] = address.split("/");
  return (
    <>
      <Copyable name={name} text={alone} /> /{length}
    </>
  );
}

const FACTS = [
  ["Provider", "provider"],
  ["System", "os"],
  ["Docker", "docker"],
  ["ZeroTier", "zerotier"],
  ["Agent", "agent"],
] as const;

function Facts(props: { node: Node; added: EventView | undefined; now: number; maySeeEvents: boolean }) {
  const { node, added, now, maySeeEvents } = props;
  const key = `enrolment key ${node.key}`;
  return (
    <>
      <h2>What it says of itself</h2>
      <dl>
        {FACTS.flatMap(([name, key]) =>
          fact(node, key) === ""
            ? []
            : [
                <Item name={name}>
                  {fact(node, key)}
                  {key === "agent" &&
                    node.behind === true &&
                    " (behind: meshboot upgrade there takes this Worker's)"}
                </Item>,
              ],
        )}
        {node.tags.length > 0 && (
          <Item name="Tags">
            <Tags tags={node.tags} />
          </Item>
        )}
        {added !== undefined && (
          <Item name="Added by">
            {whoDid(added)}, <TimeAgo time={added.at} now={now} /> ({added.action})
          </Item>
        )}
        <Item name="Let in by">
          {node.key === null ? (
            "no enrolment key"
          ) : maySeeEvents ? (
            <>
              <a href={`/events?key=${node.key}`}>{key}</a>, whose events have who made it
            </>
          ) : (
            key
          )}
        </Item>
        <Item name="Leased">
          <TimeAgo time={node.leasedAt} now={now} />
        </Item>
        <Item name="Seen">
          <TimeAgo time={node.lastSeen} now={now} />
        </Item>
        {node.lastRepair !== null && (
          <Item name="Put right by itself">
            {node.lastRepair.steps.join(", ")}, <TimeAgo time={node.lastRepair.at} now={now} />
          </Item>
        )}
      </dl>
    </>
  );
}

function Report({ node }: { node: Node }) {
  const log = node.report?.["log"];
  if (typeof log !== "string" || log === "") return null;
  return (
    <>
      <h2>The end of its log</h2>
      <pre>{log}</pre>
    </>
  );
}

function Item({ name, children }: { name: string; children?: Child }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
