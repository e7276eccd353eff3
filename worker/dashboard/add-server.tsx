/** @jsxImportSource hono/jsx */
import type { z } from "zod";
import { PROVIDERS } from "../../cloud-init/provider-limits.ts";
import { LIMITS } from "../config/limits.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { userDataSchema } from "../schema/user-data.ts";
import { Refused } from "./api.ts";
import { Copyable } from "./copyable.tsx";
import { FirstBoots } from "./first-boots.tsx";
import type { Form } from "./form.ts";
import { Notice, page } from "./page.tsx";
import type { Act, Pages, Show } from "./pages.ts";
import { pageStatus } from "./refusal-page.tsx";
import { demand, may } from "./visitor.ts";

/** What the form was sent with, so that nothing has to be typed again; `once`: the same one gives the same key again. */
interface AddForm {
  readonly provider: string;
  readonly name: string;
  readonly tags: string;
  readonly docker: string;
  readonly layout: string;
  readonly compose: boolean;
  readonly approval: boolean;
  readonly once: string;
}

const DOCKER = [
  ["distro", "the distribution's, unless there is one"],
  ["official", "Docker's own, unless there is one"],
  ["present", "the one that is there"],
] as const;

const LAYOUTS = [
  ["split", "half docker0, half further networks"],
  ["bridge", "docker0 alone"],
  ["compose", "the networks that Compose files name"],
] as const;

/** `/add`: the provider, then what the server is to be, then its user-data. */
export function addServerPage(pages: Pages): void {
  pages.show("/add", showAdd);
  pages.act("/add", addServer, LIMITS.addServerFormBytes);
}

const showAdd: Show = async (_, c) => {
  demand(c, "keys");
  const provider = c.req.query("provider") ?? "";
  if (provider !== "") demandProvider(provider);
  const form: AddForm = {
    ...{ provider, name: "", tags: "", docker: "distro", layout: "split" },
    ...{ compose: false, approval: false, once: crypto.randomUUID() },
  };
  const body = provider === "" ? <ChooseProvider /> : <AddServer form={form} />;
  return page(c, { title: "Add a server", place: "/add", body });
};

const addServer: Act = async (api, c, sent) => {
  const form = addFormOf(sent);
  demandProvider(form.provider);
  const { name, docker, layout, compose, approval } = form;
  const request = {
    ...{ docker, layout, compose },
    ...(name !== "" && { name }),
    ...(form.provider !== "other" && { provider: form.provider }),
    key: {
      approval,
      tags: form.tags.split(/[\s,]+/).filter((tag) => tag !== ""),
      // By which the key is found again.
      ...(name !== "" && { note: `for ${name}` }),
    },
  };
  try {
    const made = await api.ask("POST", "/v1/user-data", userDataSchema, {
      body: request,
      headers: { "Idempotency-Key": form.once },
    });
    const origin = publicOrigin(c.req.url);
    const body = <MadeUserData made={made} origin={origin} mayList={may(c, "read", "nodes")} />;
    return page(c, { title: "User-data", place: "/add", body });
  } catch (error) {
    if (!(error instanceof Refused) || error.status === 401) throw error;
    // It stands for the form as it was sent before: for this one it would be refused again and again.
    const once = error.status === 409 ? crypto.randomUUID() : form.once;
    const body = <AddServer form={{ ...form, once }} fault={error.detail} />;
    const { status, retryAfter } = error;
    return page(c, { title: "Add a server", place: "/add", body, status: pageStatus(status), retryAfter });
  }
};

/** Throws {@link Refused}. */
function demandProvider(provider: string): void {
  if (provider !== "other" && !PROVIDERS.includes(provider))
    throw Refused.by({ problem: "not-found", missing: { what: "address", meant: undefined } });
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function addFormOf(text: Form): AddForm {
  return {
    ...{ provider: text("provider"), name: text("name"), tags: text("tags"), docker: text("docker") },
    ...{ layout: text("layout"), compose: text("compose") !== "", approval: text("approval") !== "" },
    once: UUID.test(text("once")) ? text("once") : crypto.randomUUID(),
  };
}

/** Where the server is ordered: what comes next depends on it. */
function ChooseProvider() {
  return (
    <>
      <h1>Add a server</h1>
      <p>
        Where do you order it? What the provider takes as user-data, and how much of it, follows from that.
      </p>
      <ul class="choices">
        {PROVIDERS.map((provider) => (
          <li>
            <a class="button" href={`/add?provider=${provider}`}>
              {provider}
            </a>
          </li>
        ))}
        <li>
          <a class="button" href="/add?provider=other">
            another one
          </a>
        </li>
      </ul>
    </>
  );
}

/** What the server is to be. `fault`: why what was sent is not taken. */
function AddServer({ form, fault }: { form: AddForm; fault?: string | undefined }) {
  return (
    <>
      <h1>Add a server{form.provider === "other" ? "" : ` at ${form.provider}`}</h1>
      {fault !== undefined && (
        <Notice>
          <p>{fault}</p>
        </Notice>
      )}
      <form method="post" action="/add" class="stack">
        <input type="hidden" name="provider" value={form.provider} />
        <input type="hidden" name="once" value={form.once} />
        <label>
          Name (left out: its host name)
          <input name="name" value={form.name} maxlength={63} autocapitalize="none" spellcheck={false} />
        </label>
        <label>
          Tags, with spaces between
          <input name="tags" value={form.tags} autocapitalize="none" spellcheck={false} />
        </label>
        <Choice name="docker" title="Docker" chosen={form.docker} choices={DOCKER} />
        <Choice name="layout" title="Who gets its addresses" chosen={form.layout} choices={LAYOUTS} />
        <label class="check">
          <input type="checkbox" name="compose" checked={form.compose} /> Docker Compose as well
        </label>
        <label class="check">
          <input type="checkbox" name="approval" checked={form.approval} /> It waits until I approve it
        </label>
        <button type="submit">Make its user-data</button>
      </form>
    </>
  );
}

function Choice(props: {
  name: string;
  title: string;
  chosen: string;
  choices: readonly (readonly [value: string, text: string])[];
}) {
  return (
    <label>
      {props.title}
      <select name={props.name}>
        {props.choices.map(([value, text]) => (
          <option value={value} selected={value === props.chosen}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/**
 * The user-data, which is shown this once. `origin`: this Worker's, as servers are to reach it; `mayList`: whether whoever is signed in
 * may see servers.
 */
function MadeUserData(props: { made: z.output<typeof userDataSchema>; origin: string; mayList: boolean }) {
  const { made, origin, mayList } = props;
  const key = /mbk_[A-Za-z0-9_-]{22}/.exec(made.userData)?.[0] ?? "";
  // Of all providers there is nothing to compare it with.
  const limits = made.limits.length === 1 ? made.limits : [];
  return (
    <>
      <h1>User-data for the server</h1>
      <p>
        Whoever has it can let in {made.key.maxUses === 1 ? "one server" : `${made.key.maxUses} servers`}{" "}
        until <time datetime={made.key.expiresAt}>{made.key.expiresAt}</time>. It is shown this once.
      </p>
      {limits.map(({ limit, used, provider }) =>
        limit === null || limit === 0 ? null : (
          <p>
            <label>
              {used} of {limit} bytes that {provider} takes
              <meter min={0} max={limit} value={used} />
            </label>
          </p>
        ),
      )}
      {made.notes.length > 0 && (
        <Notice kind="warn">
          <ul>
            {made.notes.map((note) => (
              <li>{note}</li>
            ))}
          </ul>
        </Notice>
      )}
      <h2>{made.form === "script" ? "To run on the server" : "To paste where you order it"}</h2>
      <Copyable name="user-data" text={made.userData} isBlock file="user-data.txt" />
      <h2>{made.form === "script" ? "The same in one line" : "For a server that runs already"}</h2>
      <Copyable name="line" text={`curl -fsS ${origin}/boot/${key}/sh | sh`} isBlock />
      <h2>How far it has come</h2>
      <FirstBoots keyView={made.key} boots={[]} now={Date.now()} />
      <p>
        Without a script this page does not follow it:{" "}
        <a href={`/keys/${made.key.id}`}>the page of its key</a> does, each time it is loaded.
      </p>
      {mayList && (
        <p>
          <a class="button" href={`/?key=${made.key.id}`}>
            See whether it has come in
          </a>
        </p>
      )}
    </>
  );
}
