/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";
import type { EventView } from "../schema/events.ts";
import { Notice } from "./page.tsx";
import { fact } from "./servers.tsx";
import { TimeAgo } from "./time-ago.tsx";
import { type Node, shownAs, trouble } from "./trouble.ts";

/** What the page of a server shows; `now`: ms since 1970. */
interface Parts {
  readonly node: Node;
  readonly events: readonly EventView[];
  readonly now: number;
  /** Why what was asked for was not done. */
  readonly fault?: string | undefined;
}

/** All that is known of a server, and what can be done with it. */
export function Server({ node, events, now, fault }: Parts) {
  const wrong = trouble(node, now);
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
      <Actions node={node} />
      <Addresses node={node} />
      <Facts node={node} now={now} />
      <Report node={node} />
      <Events events={events} now={now} />
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
    </>
  );
}

function Addresses({ node }: { node: Node }) {
  return (
    <>
      <h2>Addresses</h2>
      <dl>
        <Item name="On the mesh, IPv4">
          <code>{node.zerotier.ipv4}</code>
        </Item>
        <Item name="On the mesh, IPv6">
          <code>{node.zerotier.ipv6}</code>
        </Item>
        <Item name="Containers, IPv4">
          <code>{node.docker.ipv4.subnet}</code>, gateway <code>{node.docker.ipv4.gateway}</code>
        </Item>
        <Item name="Containers, IPv6">
          <code>{node.docker.ipv6.subnet}</code>, gateway <code>{node.docker.ipv6.gateway}</code>
        </Item>
        <Item name="Calls from">{node.address === null ? "not known" : <code>{node.address}</code>}</Item>
        <Item name="Slot">{node.slot}</Item>
        <Item name="Node">
          <code>{node.node}</code>
        </Item>
      </dl>
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

function Facts({ node, now }: { node: Node; now: number }) {
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
        {node.tags.length > 0 && <Item name="Tags">{node.tags.join(", ")}</Item>}
        <Item name="Let in by">{node.key === null ? "you" : `enrolment key ${node.key}`}</Item>
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

function Events({ events, now }: { events: readonly EventView[]; now: number }) {
  return (
    <>
      <h2>Events</h2>
      {events.length === 0 ? (
        <p>None is kept.</p>
      ) : (
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
              <tr>
                <td>
                  <TimeAgo time={event.at} now={now} />
                </td>
                <td>
                  {event.action}
                  {event.was !== null && ` (before: ${event.was})`}
                  {event.why !== null && `, ${event.why}`}
                </td>
                <td>{[event.by.who, event.by.id].filter((word) => word !== undefined).join(" ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
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
