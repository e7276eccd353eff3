/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { type EndingView, endingSchema, type Replaced, replacedSchema } from "../schema/ending.ts";
import { nodeSchema } from "../schema/lease.ts";
import type { Api } from "./api.ts";
import { Copyable } from "./copyable.tsx";
import { Decide } from "./decide.tsx";
import { Moment } from "./moment.tsx";
import { apiPathOf, type Node, nodeOf } from "./node.ts";
import { page } from "./page.tsx";
import { inPageWords } from "./page-words.ts";
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
      body: <ReplacementKey replaced={replaced} origin={publicOrigin(c.req.url)} />,
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
      <Decide
        action={`/servers/${ending.node}/${verb}`}
        done={done}
        back={`/servers/${ending.node}`}
        isHarmless={verb === "replace"}
      />
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
      <Decide action={`/servers/${node.node}/revoke`} done="Revoke it" back={`/servers/${node.node}`} />
    </>
  );
}

/** The key of a replacement and the user-data that has it, which are shown this once. `origin`: this Worker's, as servers are to reach it. */
function ReplacementKey({ replaced, origin }: { replaced: Replaced; origin: string }) {
  const boot = `${origin}/boot/${replaced.key.key}`;
  return (
    <>
      <h1>A key to replace {replaced.name}</h1>
      <p>
        It lets one server in under the name {replaced.name} and slot {replaced.slot}. It is shown this once.
      </p>
      <h2>To paste where you order the server</h2>
      <p>At its first boot the server fetches the rest from this Worker.</p>
      <Copyable name="user-data" text={`#include-once\n${boot}\n`} isBlock file="user-data.txt" />
      <h2>For a server that runs already</h2>
      <Copyable name="line" text={`curl -fsS ${boot}/sh | sh`} isBlock />
      <p>
        Where Meshboot runs there, the key alone into <code>/etc/meshboot/key</code>, then{" "}
        <code>systemctl start meshboot.service</code>:
      </p>
      <Copyable name="key" text={replaced.key.key} isBlock />
      <p>
        To load this page again makes another key beside it; the one that is not needed can be taken back
        among the <a href="/keys">keys</a>. How far the server has come is on{" "}
        <a href={`/keys/${replaced.key.id}`}>the page of the key</a>.
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
          <li>{inPageWords(text)}</li>
        ))}
      </ul>
      {ending.stays.length > 0 && (
        <>
          <h2>What stays</h2>
          <ul>
            {ending.stays.map((text) => (
              <li>{inPageWords(text)}</li>
            ))}
          </ul>
        </>
      )}
      <p>
        {ending.freeAt === null ? (
          `Slot ${ending.slot} is kept.`
        ) : (
          <>
            Slot {ending.slot} goes to no other server before <Moment time={ending.freeAt} />.
          </>
        )}
      </p>
    </>
  );
}
