/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { DEED_ACTIONS } from "../lease/deed.ts";
import { newWebhookSchema, type WebhookView, webhooksSchema } from "../schema/webhook.ts";
import { type Api, Refused } from "./api.ts";
import { NextPage, partQuery } from "./next-page.tsx";
import { Notice, page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { pageStatus } from "./refusal-page.tsx";
import { WebhookSecret } from "./webhook.tsx";

/** What was asked for and not given. */
interface Tried {
  readonly url: string;
  readonly note: string;
  readonly actions: readonly string[];
  readonly refused: Refused;
}

/** `/webhooks`: whom events are sent to. */
export function webhooksPage(pages: Pages): void {
  pages.show("/webhooks", (api, c) => showWebhooks(c, api));

  pages.act("/webhooks", async (api, c, form) => {
    const [url, note, actions] = [form("url"), form("note"), form.all("action")];
    const body = { url, ...(note !== "" && { note }), ...(actions.length > 0 && { actions }) };
    try {
      const made = await api.ask("POST", "/v1/webhooks", newWebhookSchema, { body });
      return page(c, {
        title: "A new webhook",
        place: "/webhooks",
        body: <WebhookSecret made={made} isNew />,
      });
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401 || error.status === 403) throw error;
      return showWebhooks(c, api, { url, note, actions, refused: error });
    }
  });
}

async function showWebhooks(c: Context<App>, api: Api, tried?: Tried): Promise<Response> {
  const { items, next } = await api.ask("GET", `/v1/webhooks${partQuery(c)}`, webhooksSchema);
  const body = (
    <>
      <h1>Webhooks</h1>
      <p>Receivers that get the events of the audit log as they come, in calls that are signed.</p>
      {tried !== undefined && (
        <Notice>
          <p>{tried.refused.detail}</p>
        </Notice>
      )}
      {items.length === 0 ? <p>There is none.</p> : <Table webhooks={items} />}
      <NextPage path="/webhooks" next={next} />
      <NewWebhookForm tried={tried} />
    </>
  );
  return page(c, {
    ...{ title: "Webhooks", place: "/webhooks", body },
    // The answer to a form cannot be asked for again.
    ...(tried === undefined
      ? { live: ["webhooks"] }
      : { status: pageStatus(tried.refused.status), retryAfter: tried.refused.retryAfter }),
  });
}

function NewWebhookForm({ tried }: { tried: Tried | undefined }) {
  return (
    <>
      <h2>Make a webhook</h2>
      <form class="stack" method="post" action="/webhooks">
        <label>
          Address (https)
          <input name="url" type="url" value={tried?.url ?? ""} required maxlength={2000} />
        </label>
        <label>
          Note
          <input name="note" value={tried?.note ?? ""} maxlength={200} />
        </label>
        <details>
          <summary>Not all events</summary>
          <fieldset>
            <legend>These alone (none ticked: all)</legend>
            {DEED_ACTIONS.map((action) => (
              <label class="check">
                <input
                  type="checkbox"
                  name="action"
                  value={action}
                  checked={tried?.actions.includes(action) ?? false}
                />{" "}
                {action}
              </label>
            ))}
          </fieldset>
        </details>
        <button type="submit">Make it</button>
      </form>
    </>
  );
}

function Table({ webhooks }: { webhooks: readonly WebhookView[] }) {
  return (
    <table>
      <caption>In the order of their making</caption>
      <thead>
        <tr>
          <th scope="col">Address</th>
          <th scope="col">State</th>
          <th scope="col" class="wide">
            Events
          </th>
        </tr>
      </thead>
      <tbody>
        {webhooks.map(({ id, url, note, state, failures, fault, actions }) => (
          <tr id={`webhook-${id}`}>
            <th scope="row" class="long">
              <a href={`/webhooks/${id}`}>{url}</a>
              {note !== null && <div class="quiet">{note}</div>}
            </th>
            <td>
              <span class={fault !== null || state === "failing" ? "failed" : "good"}>
                {fault === null ? state : "cannot send"}
              </span>
              {failures > 0 && <div class="quiet">not taken {failures} times in a row</div>}
            </td>
            <td class="wide">{actions?.join(", ") ?? "all"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
