/** @jsxImportSource hono/jsx */
// The pages: which there are, who may see them, and what their forms ask of the API.
import type { Context } from "hono";
import { csrf } from "hono/csrf";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import type { Child } from "hono/jsx";
import { secretKind } from "../base/secret.ts";
import { callerNetwork } from "../http/caller-address.ts";
import type { App } from "../http/context.ts";
import { configured, rateLimited } from "../http/guards.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { endingSchema, replacedSchema } from "../schema/ending.ts";
import { eventsSchema } from "../schema/events.ts";
import { healthSchema } from "../schema/health.ts";
import { nodeSchema, nodesSchema } from "../schema/lease.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";
import { poolSchema } from "../schema/pool.ts";
import { newSessionSchema } from "../schema/session.ts";
import { slotsSchema } from "../schema/slots.ts";
import { userDataSchema } from "../schema/user-data.ts";
import { type AddForm, AddServer, ChooseProvider, MadeUserData } from "./add-server.tsx";
import { Api, Refused } from "./api.ts";
import { ENDINGS, EndingPreview, type EndingVerb, ReplacementKey, RevocationPreview } from "./ending.tsx";
import { Notice, type PageParts, page } from "./page.tsx";
import { Pool } from "./pool.tsx";
import { Server } from "./server.tsx";
import { queryOf, type ServerSearch, Servers } from "./servers.tsx";
import { dropSession, keepSession, sessionOf } from "./session-cookie.ts";
import { signInPage } from "./sign-in.tsx";
import { stylesheetRoute } from "./stylesheet.ts";

/** Events of a server's that its page shows. */
const EVENTS = 20;

/** The dashboard: what it shows and does is the API's, by its own calls. */
export function dashboardRoutes(app: OpenAPIHono<App>): void {
  stylesheetRoute(app);

  app.get("/", rateLimited, async (c) => {
    const session = sessionOf(c);
    return session === undefined ? signInPage(c) : signedIn(c, showServers);
  });

  app.get("/add", (c) => signedIn(c, showAdd));
  app.post("/add", ownForms, (c) => signedIn(c, addServer));
  app.get("/pool", (c) => signedIn(c, showPool));
  app.get("/servers/:node", (c) => signedIn(c, (api) => showServer(c, api, c.req.param("node"))));

  for (const verb of ["replace", "retire", "delete"] as const) {
    app.get(`/servers/:node/${verb}`, (c) =>
      signedIn(c, (api) => showEnding(c, api, verb, c.req.param("node"))),
    );
    app.post(`/servers/:node/${verb}`, ownForms, (c) =>
      signedIn(c, (api) => endLease(c, api, verb, c.req.param("node"))),
    );
  }

  app.get("/servers/:node/revoke", (c) => signedIn(c, (api) => showRevocation(c, api, c.req.param("node"))));
  for (const verb of ["approve", "revoke", "rename"] as const)
    app.post(`/servers/:node/${verb}`, ownForms, (c) =>
      signedIn(c, (api) => changeServer(c, api, verb, c.req.param("node"))),
    );

  app.post("/sign-in", configured, slowed, ownForms, async (c) => {
    const { token } = await c.req.parseBody();
    if (typeof token !== "string" || secretKind(token.trim()) !== "mba")
      return signInPage(c, { text: "An admin token is mba_ and at least 22 characters.", status: 400 });
    try {
      const { session } = await new Api(app, c, token.trim()).ask("POST", "/v1/sessions", newSessionSchema);
      keepSession(c, session);
      return c.redirect("/", 303);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const status = error.status === 401 ? 403 : error.status === 429 ? 429 : 503;
      return signInPage(c, { text: error.detail, status });
    }
  });

  app.post("/sign-out", ownForms, async (c) => {
    const session = sessionOf(c);
    // One that is over by now is what was asked for.
    if (session !== undefined)
      await new Api(app, c, session).tell("DELETE", "/v1/sessions/current").catch(passRefusals);
    dropSession(c);
    return c.redirect("/", 303);
  });

  /** The page for whoever has a session; for others the way in. What the API refuses is said on a page. */
  async function signedIn(
    c: Context<App>,
    show: (api: Api, c: Context<App>) => Promise<Response>,
  ): Promise<Response> {
    const session = sessionOf(c);
    if (session === undefined) return c.redirect("/", 303);
    try {
      return await show(new Api(app, c, session), c);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) {
        dropSession(c);
        return signInPage(c, { text: error.detail, status: 401 });
      }
      return refusalPage(c, error);
    }
  }
}

/** A page of somebody else's must not have a signed-in browser send forms here; the cookie does not come along with those either. */
const ownForms = createMiddleware<App>(async (c, next) => {
  try {
    return await sameOrigin(c, next);
  } catch (error) {
    if (!(error instanceof HTTPException)) throw error;
    return refusalPage(c, {
      title: "Sent by another page",
      detail:
        "This form was sent by a page that is not of this Worker. Open this one, and send it from here.",
      status: 403,
    });
  }
});

const sameOrigin = csrf();

/** Whoever tries tokens is slowed down, by the limit that a single server has. */
const slowed = createMiddleware<App>(async (c, next) => {
  const { success } = await c.env.NODE_CALLS.limit({ key: `sign-in ${callerNetwork(c)}` });
  if (!success) return signInPage(c, { text: "Too many tries. Wait a minute.", status: 429 });
  return next();
});

async function showServers(api: Api, c: Context<App>): Promise<Response> {
  const asked = (name: keyof ServerSearch): string => c.req.query(name)?.trim() ?? "";
  const search: ServerSearch = {
    ...{ name: asked("name").toLowerCase(), state: asked("state"), tag: asked("tag") },
    ...{ key: asked("key"), sort: asked("sort"), cursor: asked("cursor") },
  };
  const [list, health] = await Promise.all([
    api.ask("GET", `/v1/nodes${queryOf(search)}`, nodesSchema),
    api.ask("GET", "/healthz", healthSchema),
  ]);
  const body = <Servers list={list} search={search} health={health} now={Date.now()} />;
  return page(c, { title: "Servers", place: "/", body });
}

async function showServer(c: Context<App>, api: Api, id: string, refused?: Refused): Promise<Response> {
  const [node, { items }] = await Promise.all([
    api.ask("GET", `/v1/nodes/${encodeURIComponent(id)}`, nodeSchema),
    api.ask("GET", `/v1/events?limit=${EVENTS}&node=${encodeURIComponent(id)}`, eventsSchema),
  ]);
  const body = <Server node={node} events={items} now={Date.now()} fault={refused?.detail} />;
  return page(c, { title: node.name, place: "/", body, status: refused ? pageStatus(refused.status) : 200 });
}

async function changeServer(
  c: Context<App>,
  api: Api,
  verb: "approve" | "revoke" | "rename",
  id: string,
): Promise<Response> {
  const path = `/v1/nodes/${encodeURIComponent(id)}`;
  try {
    if (verb === "rename") {
      const { name } = await c.req.parseBody();
      await api.ask("PATCH", path, nodeSchema, { name: typeof name === "string" ? name.trim() : "" });
    } else await api.ask("POST", `${path}/${verb}`, nodeSchema);
  } catch (error) {
    if (!(error instanceof Refused) || error.status === 401 || error.status === 404) throw error;
    return showServer(c, api, id, error);
  }
  return c.redirect(`/servers/${encodeURIComponent(id)}`, 303);
}

async function showRevocation(c: Context<App>, api: Api, id: string): Promise<Response> {
  const node = await api.ask("GET", `/v1/nodes/${encodeURIComponent(id)}`, nodeSchema);
  return page(c, { title: `Revoke ${node.name}`, place: "/", body: <RevocationPreview node={node} /> });
}

/** The call that ends the lease so. */
function endingCall(verb: EndingVerb, id: string): readonly ["POST" | "DELETE", string, object | undefined] {
  const path = `/v1/nodes/${encodeURIComponent(id)}`;
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
  const ending = await api.ask(method, `${path}?dryRun=true`, endingSchema, body);
  const title = `${ENDINGS[verb].title} ${ending.name}`;
  return page(c, { title, place: "/", body: <EndingPreview ending={ending} verb={verb} /> });
}

async function endLease(c: Context<App>, api: Api, verb: EndingVerb, id: string): Promise<Response> {
  const [method, path, body] = endingCall(verb, id);
  if (verb === "replace") {
    const replaced = await api.ask(method, path, replacedSchema, body);
    return page(c, {
      title: `A key to replace ${replaced.name}`,
      place: "/",
      body: <ReplacementKey replaced={replaced} />,
    });
  }
  await api.tell(method, path, body);
  return c.redirect("/", 303);
}

function showAdd(_: Api, c: Context<App>): Promise<Response> {
  const provider = c.req.query("provider") ?? "";
  const form: AddForm = {
    ...{ provider, name: "", tags: "", docker: "distro", layout: "split" },
    ...{ compose: false, approval: false, once: crypto.randomUUID() },
  };
  const body = provider === "" ? <ChooseProvider /> : <AddServer form={form} />;
  return page(c, { title: "Add a server", place: "/add", body });
}

async function addServer(api: Api, c: Context<App>): Promise<Response> {
  const form = addFormOf(await c.req.parseBody());
  const { name, docker, layout, compose, approval } = form;
  const request = {
    ...{ docker, layout, compose },
    ...(name !== "" && { name }),
    ...(form.provider !== "other" && { provider: form.provider }),
    key: { approval, tags: form.tags.split(/[\s,]+/).filter((tag) => tag !== "") },
  };
  try {
    const made = await api.ask("POST", "/v1/user-data", userDataSchema, request, {
      "Idempotency-Key": form.once,
    });
    const body = <MadeUserData made={made} origin={publicOrigin(c.req.url)} />;
    return page(c, { title: "User-data", place: "/add", body });
  } catch (error) {
    if (!(error instanceof Refused) || error.status === 401) throw error;
    const body = <AddServer form={form} fault={error.detail} />;
    return page(c, { title: "Add a server", place: "/add", body, status: pageStatus(error.status) });
  }
}

function addFormOf(sent: Readonly<Record<string, string | File>>): AddForm {
  const text = (field: string): string => {
    const value = sent[field];
    return typeof value === "string" ? value.trim() : "";
  };
  return {
    ...{ provider: text("provider"), name: text("name"), tags: text("tags"), docker: text("docker") },
    ...{ layout: text("layout"), compose: text("compose") !== "", approval: text("approval") !== "" },
    once: text("once"),
  };
}

async function showPool(api: Api, c: Context<App>): Promise<Response> {
  const from = c.req.query("from");
  const [use, { items, next }] = await Promise.all([
    api.ask("GET", "/v1/pool", poolSchema),
    api.ask(
      "GET",
      `/v1/pool/slots${from === undefined ? "" : `?from=${encodeURIComponent(from)}`}`,
      slotsSchema,
    ),
  ]);
  return page(c, { title: "Pool", place: "/pool", body: <Pool use={use} slots={items} next={next} /> });
}

function refusalPage(
  c: Context<App>,
  { title, detail, status }: Pick<Refused, "title" | "detail" | "status">,
): Promise<Response> {
  const body: Child = (
    <>
      <h1>{title}</h1>
      <Notice>
        <p>{detail}</p>
      </Notice>
      <p>
        <a href="/">Servers</a>
      </p>
    </>
  );
  return page(c, { title, place: "", body, status: pageStatus(status) });
}

/** The API's status, as far as a page has one. */
function pageStatus(status: number): NonNullable<PageParts["status"]> {
  switch (status) {
    case 400:
    case 403:
    case 404:
    case 409:
    case 429:
    case 503:
      return status;
    default:
      return 500;
  }
}

function passRefusals(error: unknown): void {
  if (!(error instanceof Refused)) throw error;
}
