/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { type EndingView, endingSchema, type Replaced, replacedSchema } from "../schema/ending.ts";
import { nodeSchema } from "../schema/lease.ts";
import type { Api } from "./api.ts";
import { Copyable } from "./copyable.tsx";
import { apiPathOf, type Node, nodeOf } from "./node.ts";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { demand } from "./visitor.ts";

/** The three ends of a lease, as they are asked for. */
const ENDINGS = {
  replace: {
    title: "Replace",
    what: "Another server gets the name, the slot and the IPv4 addresses, by a key that is made now. Until it comes nothing changes.",
    done: "Make the key",
  },
  retire: {
    title: "Retire",
    what: "The server is taken out for good. Its name and its slot are kept for another one.",
    done: "Retire it",
  },
  delete: {
    title: "Delete",
    what: "The lease ends. Name and slot are given up.",
    done: "Delete it",
  },
} as const;

type EndingVerb = keyof typeof ENDINGS;

/** `/servers/:node/…` for what takes a server out: first what that means, and by its form it is done. */
export function endingPages(pages: Pages): void {
  for (const verb of ["replace", "retire", "delete"] as const) {
    pages.show(`/servers/:node/${verb}`, (api, c) => showEnding(c, api, verb, nodeOf(c)));
    pages.act(`/servers/:node/${verb}`, (api, c) => endLease(c, api, verb, nodeOf(c)));
  }
  pages.show("/servers/:node/revoke", (api, c) => showRevocation(c, api, nodeOf(c)));
}

/** The call that ends the lease so. */
function endingCall(verb: EndingVerb, id: string): readonly ["POST" | "DELETE", string, object | undefined] {
  const path = apiPathOf(id);
  switch (verb) {
    case "replace":
      return ["POST", `${path}/replace`, {}];
    case "retire":
      return ["POST", `${path}/retire`, undefined];
    case "delete":
      return ["DELETE", path, undefined];
  }
}

async function showEnding(c: Context<App>, api: Api, verb: EndingVerb, id: string): Promise<Response> {
  const [method, path, body] = endingCall(verb, id);
  const ending = await api.ask(method, `${path}?dryRun=true`, endingSchema, { body });
  const title = `${ENDINGS[verb].title} ${ending.name}`;
  return page(c, { title, place: "/", body: <EndingPreview ending={ending} verb={verb} /> });
}

async function endLease(c: Context<App>, api: Api, verb: EndingVerb, id: string): Promise<Response> {
  const [method, path, body] = endingCall(verb, id);
  if (verb === "replace") {
    const replaced = await api.ask(method, path, replacedSchema, { body });
    return page(c, {
      title: `A key to replace ${replaced.name}`,
      place: "/",
      body: <ReplacementKey replaced={replaced} />,
    });
  }
  await api.tell(method, path, { body });
  return c.redirect("/", 303);
}

async function showRevocation(c: Context<App>, api: Api, id: string): Promise<Response> {
  demand(c, "nodes");
  const node = await api.ask("GET", apiPathOf(id), nodeSchema);
  return page(c, { title: `Revoke ${node.name}`, place: "/", body: <RevocationPreview node={node} /> });
}

/** What that end of the lease would break, before anything is done. */
function EndingPreview({ ending, verb }: { ending: EndingView; verb: EndingVerb }) {
  const { title, what, done } = ENDINGS[verb];
  return (
    <>
      <h1>
        {title} {ending.name}
      </h1>
      <p>{what}</p>
      <Consequences ending={ending} />
      <Decide node={ending.node} verb={verb} done={done} />
    </>
  );
}

/** What a revocation means, before anything is done. */
function RevocationPreview({ node }: { node: Node }) {
  return (
    <>
      <h1>Revoke {node.name}</h1>
      <p>
        The server is taken out of the mesh at once: nothing there reaches it any more, nor its containers,
        and it reaches nobody. It keeps its name and slot {node.slot}, and comes back by an approval.
      </p>
      <Decide node={node.node} verb="revoke" done="Revoke it" />
    </>
  );
}

/** The way on, and the way back. A replacement takes nothing out yet. */
function Decide({ node, verb, done }: { node: string; verb: EndingVerb | "revoke"; done: string }) {
  const at = `/servers/${node}`;
  return (
    <div class="actions">
      <form method="post" action={`${at}/${verb}`}>
        <button type="submit" class={verb === "replace" ? "" : "danger"}>
          {done}
        </button>
      </form>
      <a class="button" href={at}>
        Leave it as it is
      </a>
    </div>
  );
}

/** The key of a replacement, which is shown this once. */
function ReplacementKey({ replaced }: { replaced: Replaced }) {
  return (
    <>
      <h1>A key to replace {replaced.name}</h1>
      <p>
        It lets one server in under the name {replaced.name} and slot {replaced.slot}. It is shown this once:
      </p>
      <Copyable name="key" text={replaced.key.key} isBlock />
      <p>
        To load this page again makes another key beside it; the one that is not needed can be taken back
        among the <a href="/keys">keys</a>.
      </p>
      <p>
        On a server that is there: the key into <code>/etc/meshboot/key</code>, then{" "}
        <code>systemctl start meshboot.service</code>. For one that is to be ordered,{" "}
        <code>POST /v1/user-data</code> takes{" "}
        <code>
          {'"key": {"reservation": "'}
          {replaced.name}
          {'", "takeover": true}'}
        </code>{" "}
        and gives user-data with a key of its own.
      </p>
      <Consequences ending={replaced} />
      <p>
        <a href={`/servers/${replaced.node}`}>{replaced.name}</a>
      </p>
    </>
  );
}

function Consequences({ ending }: { ending: EndingView }) {
  return (
    <>
      <h2>What does not work any more</h2>
      <ul>
        {ending.breaks.map((text) => (
          <li>{text}</li>
        ))}
      </ul>
      {ending.stays.length > 0 && (
        <>
          <h2>What stays</h2>
          <ul>
            {ending.stays.map((text) => (
              <li>{text}</li>
            ))}
          </ul>
        </>
      )}
      <p>
        {ending.freeAt === null ? (
          `Slot ${ending.slot} is kept.`
        ) : (
          <>
            Slot {ending.slot} goes to no other server before{" "}
            <time datetime={ending.freeAt}>{ending.freeAt}</time>.
          </>
        )}
      </p>
    </>
  );
}
