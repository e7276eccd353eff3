/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import { PROVIDERS } from "../../cloud-init/provider-limits.ts";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { type ReservationView, reservationsSchema } from "../schema/reservation.ts";
import { userDataSchema } from "../schema/user-data.ts";
import { type Api, Refused } from "./api.ts";
import { Choice } from "./choice.tsx";
import { type Form, onceOf } from "./form.ts";
import { MadeUserData } from "./made-user-data.tsx";
import { Notice, page } from "./page.tsx";
import type { Act, Pages, Show } from "./pages.ts";
import { pageStatus } from "./refusal-page.tsx";
import { tagsIn } from "./tags.tsx";
import { demand, may } from "./visitor.ts";

/** What the form was sent with, so that nothing has to be typed again; `once`: the same one gives the same key again. */
interface AddForm {
  readonly provider: string;
  readonly name: string;
  /** The reserved name that it gets; "": none. */
  readonly reserved: string;
  readonly tags: string;
  readonly docker: string;
  readonly layout: string;
  readonly compose: boolean;
  readonly hosts: boolean;
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

/** What a form says for a provider that is not known here. */
export const OTHER = "other";

const TITLE = "Add a server";
const TWO_NAMES = "Give a name or choose a reserved one, not both: the server gets the reserved one.";

/** `/add`: the provider, then what the server is to be, then its user-data. */
export function addServerPage(pages: Pages): void {
  pages.show("/add", showAdd);
  pages.act("/add", addServer, LIMITS.addServerFormBytes);
}

const showAdd: Show = async (api, c) => {
  demand(c, "keys");
  const provider = c.req.query("provider") ?? "";
  const reserved = c.req.query("reserved") ?? "";
  if (provider === "")
    return page(c, { title: TITLE, place: "/add", body: <ChooseProvider reserved={reserved} /> });
  demandProvider(provider);
  const form: AddForm = {
    ...{ provider, name: "", reserved, tags: "", docker: "distro" },
    ...{ layout: "split", compose: false, hosts: false, approval: false, once: crypto.randomUUID() },
  };
  return showForm(c, api, form);
};

/** `fault`: why what was sent is not taken. */
async function showForm(
  c: Context<App>,
  api: Api,
  form: AddForm,
  fault?: Pick<Refused, "detail" | "status" | "retryAfter">,
): Promise<Response> {
  const body = <AddServer form={form} free={await freeReservations(c, api)} fault={fault?.detail} />;
  return page(c, {
    ...{ title: TITLE, place: "/add", body },
    ...(fault !== undefined && { status: pageStatus(fault.status), retryAfter: fault.retryAfter }),
  });
}

/** Reserved names that no server has; none for whoever may not see them. */
async function freeReservations(c: Context<App>, api: Api): Promise<readonly ReservationView[]> {
  if (!may(c, "read", "nodes")) return [];
  const { items } = await api.ask("GET", `/v1/reservations?limit=${LIMITS.pageMost}`, reservationsSchema);
  return items.filter(({ node }) => node === null);
}

const addServer: Act = async (api, c, sent) => {
  const form = addFormOf(sent);
  demandProvider(form.provider);
  const { reserved, docker, layout, compose, hosts, approval } = form;
  if (reserved !== "" && form.name !== "" && form.name !== reserved)
    return showForm(c, api, form, { detail: TWO_NAMES, status: 400, retryAfter: undefined });
  const name = reserved === "" ? form.name : reserved;
  const request = {
    ...{ docker, layout, compose, hosts },
    ...(name !== "" && { name }),
    ...(form.provider !== OTHER && { provider: form.provider }),
    key: {
      approval,
      tags: tagsIn(form.tags),
      ...(reserved !== "" && { reservation: reserved }),
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
    return showForm(c, api, { ...form, once }, error);
  }
};

/** Throws {@link Refused} for what is neither a provider nor {@link OTHER}. */
export function demandProvider(provider: string): void {
  if (provider !== OTHER && !PROVIDERS.includes(provider))
    throw Refused.by({ problem: "not-found", missing: { what: "address", meant: undefined } });
}

function addFormOf(text: Form): AddForm {
  return {
    ...{ provider: text("provider"), name: text("name"), reserved: text("reserved"), tags: text("tags") },
    ...{ docker: text("docker"), layout: text("layout"), compose: text("compose") !== "" },
    ...{ hosts: text("hosts") !== "", approval: text("approval") !== "" },
    once: onceOf(text),
  };
}

/** Where the server is ordered: what comes next depends on it. `reserved`: the reserved name that it is to get; "": none. */
function ChooseProvider({ reserved }: { reserved: string }) {
  const to = (provider: string): string =>
    `/add?${new URLSearchParams({ provider, ...(reserved !== "" && { reserved }) })}`;
  return (
    <>
      <h1>Add a server</h1>
      <p>
        Where do you order it? What the provider takes as user-data, and how much of it, follows from that.
      </p>
      <ul class="choices">
        {PROVIDERS.map((provider) => (
          <li>
            <a class="button" href={to(provider)}>
              {provider}
            </a>
          </li>
        ))}
        <li>
          <a class="button" href={to(OTHER)}>
            another one
          </a>
        </li>
      </ul>
    </>
  );
}

/** What the server is to be. `free`: reserved names that it can get; `fault`: why what was sent is not taken. */
function AddServer(props: { form: AddForm; free: readonly ReservationView[]; fault: string | undefined }) {
  const { form, free, fault } = props;
  return (
    <>
      <h1>Add a server{form.provider === OTHER ? "" : ` at ${form.provider}`}</h1>
      {fault !== undefined && (
        <Notice>
          <p>{fault}</p>
        </Notice>
      )}
      {form.reserved !== "" && free.every(({ name }) => name !== form.reserved) && (
        <Notice kind="warn">
          <p>{form.reserved} is no reserved name without a server.</p>
        </Notice>
      )}
      <form method="post" action="/add" class="stack">
        <input type="hidden" name="provider" value={form.provider} />
        <input type="hidden" name="once" value={form.once} />
        <label>
          Name (left out: its host name)
          <input name="name" value={form.name} maxlength={63} autocapitalize="none" spellcheck={false} />
        </label>
        {free.length > 0 && (
          <Choice
            name="reserved"
            title="Or a reserved name, with its slot"
            chosen={form.reserved}
            choices={[
              ["", "none"],
              ...free.map(({ name, slot }) => [name, `${name}, slot ${slot}`] as const),
            ]}
          />
        )}
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
          <input type="checkbox" name="hosts" checked={form.hosts} /> The names of the mesh's servers in its
          /etc/hosts
        </label>
        <label class="check">
          <input type="checkbox" name="approval" checked={form.approval} /> It waits until I approve it
        </label>
        <button type="submit">Make its user-data</button>
      </form>
    </>
  );
}
