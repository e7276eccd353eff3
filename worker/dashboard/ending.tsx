/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { type EndingView, endingSchema } from "../schema/ending.ts";
import { nodeSchema } from "../schema/lease.ts";
import type { Api } from "./api.ts";
import { Consequences } from "./consequences.tsx";
import { Decide } from "./decide.tsx";
import type { Form } from "./form.ts";
import { apiPathOf, type Node, nodeOf } from "./node.ts";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { isOutdated, Outdated, Seen } from "./seen.tsx";
import { demand, may } from "./visitor.ts";

/** The ends of a lease for which nothing more is to be said. */
const ENDINGS = {
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
  for (const verb of ["retire", "delete"] as const) {
    pages.show(`/servers/:node/${verb}`, (api, c) => showEnding(c, api, verb, nodeOf(c)));
    pages.act(`/servers/:node/${verb}`, (api, c, form) => endLease(c, api, verb, form));
  }
  pages.show("/servers/:node/revoke", (api, c) => showRevocation(c, api, nodeOf(c)));
}

/** The call that ends the lease so. */
function endingCall(verb: EndingVerb, id: string): readonly ["POST" | "DELETE", string] {
  const path = apiPathOf(id);
  switch (verb) {
    case "retire":
      return ["POST", `${path}/retire`];
    case "delete":
      return ["DELETE", path];
  }
}

async function showEnding(
  c: Context<App>,
  api: Api,
  verb: EndingVerb,
  id: string,
  isAgain = false,
): Promise<Response> {
  const [method, path] = endingCall(verb, id);
  const [ending, seen] = await Promise.all([
    api.ask(method, `${path}?dryRun=true`, endingSchema),
    whatIsIn(api, id),
  ]);
  const title = `${ENDINGS[verb].title} ${ending.name}`;
  return page(c, {
    title,
    place: "/",
    body: <EndingPreview ending={ending} verb={verb} mayAdd={may(c, "keys")} seen={seen} isAgain={isAgain} />,
  });
}

/** Whether the server is in the mesh, under which name and slot: what its end would take from whom. */
async function whatIsIn(api: Api, id: string): Promise<string> {
  const { state, name, slot } = await api.ask("GET", apiPathOf(id), nodeSchema);
  return `${state === "pending" || state === "revoked" ? state : "in"} ${name} ${slot}`;
}

async function endLease(c: Context<App>, api: Api, verb: EndingVerb, form: Form): Promise<Response> {
  const id = nodeOf(c);
  if (form.all("seen").length > 0 && isOutdated(form, [await whatIsIn(api, id)]))
    return showEnding(c, api, verb, id, true);
  const [method, path] = endingCall(verb, id);
  await api.tell(method, path);
  return c.redirect("/", 303);
}

async function showRevocation(c: Context<App>, api: Api, id: string): Promise<Response> {
  demand(c, "nodes");
  const node = await api.ask("GET", apiPathOf(id), nodeSchema);
  return page(c, { title: `Revoke ${node.name}`, place: "/", body: <RevocationPreview node={node} /> });
}

/** What that end of the lease would break, before anything is done. */
function EndingPreview(props: {
  ending: EndingView;
  verb: EndingVerb;
  mayAdd: boolean;
  seen: string;
  isAgain: boolean;
}) {
  const { ending, verb, mayAdd, seen, isAgain } = props;
  const { title, what, done } = ENDINGS[verb];
  return (
    <>
      <h1>
        {title} {ending.name}
      </h1>
      <Outdated isAgain={isAgain} />
      <p>{what}</p>
      <Consequences ending={ending} mayAdd={mayAdd} />
      <Decide action={`/servers/${ending.node}/${verb}`} done={done} back={`/servers/${ending.node}`}>
        <Seen what={seen} />
      </Decide>
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
