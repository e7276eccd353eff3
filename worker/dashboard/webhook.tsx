/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import {
  type NewWebhookView,
  newWebhookSchema,
  type TestedWebhook,
  testedWebhookSchema,
  type WebhookDetail,
  webhookDetailSchema,
} from "../schema/webhook.ts";
import type { Api } from "./api.ts";
import { Copyable } from "./copyable.tsx";
import { Decide } from "./decide.tsx";
import { Notice, page } from "./page.tsx";
import { inPageWords } from "./page-words.ts";
import type { Pages } from "./pages.ts";
import { TimeAgo } from "./time-ago.tsx";

/** `/webhooks/:id`: what its receiver answered last; a test call, another secret, its end. */
export function webhookPages(pages: Pages): void {
  pages.show("/webhooks/:id", (api, c) => showWebhook(c, api));

  pages.act("/webhooks/:id/test", async (api, c) => {
    const tested = await api.ask("POST", `${pathOf(c)}/test`, testedWebhookSchema);
    return showWebhook(c, api, tested);
  });

  for (const now of [false, true])
    pages.act(`/webhooks/:id/${now ? "rotate-now" : "rotate"}`, async (api, c) => {
      const made = await api.ask("POST", `${pathOf(c)}/rotate`, newWebhookSchema, { body: { now } });
      const body = <WebhookSecret made={made} />;
      return page(c, { title: "Another secret", place: "/webhooks", body });
    });

  pages.show("/webhooks/:id/rotate", async (api, c) => {
    const webhook = await api.ask("GET", pathOf(c), webhookDetailSchema);
    const body = <RotationPreview webhook={webhook} />;
    return page(c, { title: "Another secret", place: "/webhooks", body });
  });

  pages.show("/webhooks/:id/delete", async (api, c) => {
    const { id, url } = await api.ask("GET", pathOf(c), webhookDetailSchema);
    const body = (
      <>
        <h1>Delete a webhook</h1>
        <p class="long">
          Nothing is sent to {url} any more but a call that is on its way. What it missed is in the events.
        </p>
        <Decide action={`/webhooks/${id}/delete`} done="Delete it" back={`/webhooks/${id}`} />
      </>
    );
    return page(c, { title: "Delete a webhook", place: "/webhooks", body });
  });

  pages.act("/webhooks/:id/delete", async (api, c) => {
    await api.tell("DELETE", pathOf(c));
    return c.redirect("/webhooks", 303);
  });
}

function pathOf(c: Context<App>): string {
  return `/v1/webhooks/${encodeURIComponent(c.req.param("id") ?? "")}`;
}

async function showWebhook(c: Context<App>, api: Api, tested?: TestedWebhook): Promise<Response> {
  const webhook = await api.ask("GET", pathOf(c), webhookDetailSchema);
  const body = <Webhook webhook={webhook} tested={tested} now={Date.now()} />;
  return page(c, {
    ...{ title: "A webhook", place: "/webhooks", body },
    // The answer to a form cannot be asked for again.
    ...(tested === undefined && { live: ["webhooks"] }),
  });
}

function Webhook(props: { webhook: WebhookDetail; tested: TestedWebhook | undefined; now: number }) {
  const { webhook, tested, now } = props;
  const { id, url, note, actions, state, failures, nextAt, missed, earlierSecretUntil, fault } = webhook;
  return (
    <>
      <h1>A webhook</h1>
      {fault !== null && (
        <Notice>
          <p>{inPageWords(fault)}</p>
        </Notice>
      )}
      {tested !== undefined && <Tested tested={tested} />}
      <dl>
        <dt>Address</dt>
        <dd>{url}</dd>
        {note !== null && (
          <>
            <dt>Note</dt>
            <dd>{note}</dd>
          </>
        )}
        <dt>Events</dt>
        <dd>{actions?.join(", ") ?? "all"}</dd>
        <dt>State</dt>
        <dd>
          {state}
          {failures > 0 && `, not taken ${failures} times in a row`}
          {nextAt !== null && (
            <>
              , next call <TimeAgo time={nextAt} now={now} />
            </>
          )}
        </dd>
        {missed > 0 && (
          <>
            <dt>Missed</dt>
            <dd>{missed} events that the log has forgotten before they were taken</dd>
          </>
        )}
        {earlierSecretUntil !== null && (
          <>
            <dt>The secret before signs too</dt>
            <dd>
              it ends <TimeAgo time={earlierSecretUntil} now={now} />
            </dd>
          </>
        )}
      </dl>
      <div class="actions">
        <form method="post" action={`/webhooks/${id}/test`}>
          <button type="submit">Make a test call</button>
        </form>
        <a class="button" href={`/webhooks/${id}/rotate`}>
          Another secret…
        </a>
        <a class="button danger" href={`/webhooks/${id}/delete`}>
          Delete…
        </a>
      </div>
      <Answers answers={webhook.answers} now={now} />
    </>
  );
}

function Tested({ tested: { status, fault, text, ms } }: { tested: TestedWebhook }) {
  return (
    <Notice kind={fault === null ? "good" : "bad"}>
      <p>
        Test call: {fault ?? "taken"}, {status === null ? "no answer" : `status ${status}`}, {ms} ms
      </p>
      {text !== "" && <pre>{text}</pre>}
    </Notice>
  );
}

function Answers({ answers, now }: { answers: WebhookDetail["answers"]; now: number }) {
  return (
    <>
      <h2>What it answered last</h2>
      {answers.length === 0 ? (
        <p>Nothing was sent yet.</p>
      ) : (
        <table>
          <caption>The newest first</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Answer</th>
              <th scope="col">Events</th>
            </tr>
          </thead>
          <tbody>
            {answers.map(({ at, status, fault, text, ms, count, attempt }) => (
              <tr>
                <td>
                  <TimeAgo time={at} now={now} />
                </td>
                <td class="long">
                  <span class={fault === null ? "good" : "failed"}>{fault ?? "taken"}</span>
                  {status !== null && `, status ${status}`}, {ms} ms
                  {text !== "" && <div class="quiet">{text}</div>}
                </td>
                <td>
                  {count}
                  {attempt > 1 && `, attempt ${attempt}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function RotationPreview({ webhook: { id, url } }: { webhook: WebhookDetail }) {
  const back = `/webhooks/${id}`;
  return (
    <>
      <h1>Another secret</h1>
      <p class="long">
        For 24 hours each call to {url} is signed by both secrets, so that the receiver can be changed
        meanwhile.
      </p>
      <Decide action={`${back}/rotate`} done="Make another secret" back={back} isHarmless />
      <h2>The secret has leaked</h2>
      <p>
        Then the new one signs alone, from the next call on: the receiver refuses calls until it has that.
      </p>
      <Decide action={`${back}/rotate-now`} done="Replace it at once" back={back} />
    </>
  );
}

/** The secret of a webhook, which is shown this once. */
export function WebhookSecret({ made, isNew = false }: { made: NewWebhookView; isNew?: boolean }) {
  return (
    <>
      <h1>{isNew ? "A new webhook" : "Another secret"}</h1>
      <p class="long">
        The receiver at {made.url} needs it to check the signatures of calls. It is shown this once; to load
        this page again makes another {isNew ? "webhook beside it" : "one"}.
      </p>
      <Copyable name="the secret" text={made.secret} isBlock />
      <p>
        <a href={`/webhooks/${made.id}`}>The webhook</a>
      </p>
    </>
  );
}
