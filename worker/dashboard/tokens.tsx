/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import { SCOPES } from "../base/scope.ts";
import type { App } from "../http/context.ts";
import { FORMER } from "../lease/deed.ts";
import {
  type AdminTokenView,
  adminTokenSchema,
  adminTokensSchema,
  newAdminTokenSchema,
} from "../schema/admin-token.ts";
import { type Api, Refused } from "./api.ts";
import { Copyable } from "./copyable.tsx";
import { Decide } from "./decide.tsx";
import { NextPage, partQuery } from "./next-page.tsx";
import { Notice, page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { pageStatus } from "./refusal-page.tsx";
import { TimeAgo } from "./time-ago.tsx";
import { demand } from "./visitor.ts";

const MEANINGS = {
  read: "looks at everything",
  keys: "adds servers: enrolment keys and user-data",
  nodes: "changes servers and reservations",
  admin: "all of it; tokens, sessions, webhooks and backups besides",
} as const satisfies Record<(typeof SCOPES)[number], string>;

const DAY = 86_400;
const ENDS = [
  ["", "until it is revoked"],
  [String(DAY), "for a day"],
  [String(30 * DAY), "for thirty days"],
  [String(365 * DAY), "for a year"],
] as const;

/** How a token ends: revoked it stays in the list, deleted it does not. */
const ENDINGS = {
  revoke: "Revoke",
  delete: "Delete",
} as const;

/** What was asked for and not given. */
interface Tried {
  readonly note: string;
  readonly scopes: readonly string[];
  readonly expiresIn: string;
  readonly refused: Refused;
}

/** `/tokens`: admin tokens beside the one in the settings. */
export function tokensPages(pages: Pages): void {
  pages.show("/tokens", (api, c) => showTokens(c, api));

  pages.act("/tokens", async (api, c, form) => {
    const [note, scopes, expiresIn] = [form("note"), form.all("scope"), form("expiresIn")];
    const body = {
      scopes,
      ...(note !== "" && { note }),
      ...(expiresIn !== "" && { expiresIn: Number(expiresIn) }),
    };
    try {
      const { token } = await api.ask("POST", "/v1/tokens", newAdminTokenSchema, { body });
      return page(c, { title: "A new token", place: "/tokens", body: <NewToken token={token} /> });
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401 || error.status === 403) throw error;
      return showTokens(c, api, { note, scopes, expiresIn, refused: error });
    }
  });

  for (const [verb, title] of Object.entries(ENDINGS)) {
    pages.show(`/tokens/:id/${verb}`, async (_, c) => {
      demand(c, "admin");
      const id = idOf(c);
      const body = (
        <>
          <h1>
            {title} token {id}
          </h1>
          <p>
            The next call with it is refused, and whoever is signed in with it is signed out.{" "}
            {verb === "revoke" ? "It stays in this list." : "It is forgotten."}
          </p>
          <Decide action={`/tokens/${id}/${verb}`} done={`${title} it`} back="/tokens" />
        </>
      );
      return page(c, { title: `${title} a token`, place: "/tokens", body });
    });
  }

  pages.act("/tokens/:id/revoke", async (api, c) => {
    await api.ask("POST", `/v1/tokens/${idOf(c)}/revoke`, adminTokenSchema);
    return c.redirect("/tokens", 303);
  });

  pages.act("/tokens/:id/delete", async (api, c) => {
    await api.tell("DELETE", `/v1/tokens/${idOf(c)}`);
    return c.redirect("/tokens", 303);
  });
}

function idOf(c: Context<App>): string {
  return encodeURIComponent(c.req.param("id") ?? "");
}

async function showTokens(c: Context<App>, api: Api, tried?: Tried): Promise<Response> {
  const { items, next } = await api.ask("GET", `/v1/tokens${partQuery(c)}`, adminTokensSchema);
  const body = (
    <>
      <h1>Tokens</h1>
      <p>
        Admin tokens for people and programs, beside the one that the Worker is configured with. That is
        rotated where it was deployed, by <code>npm run deploy -- rotate-admin-token</code>; the one before it
        is listed here as <code>{FORMER}</code> until it ends.
      </p>
      {tried !== undefined && (
        <Notice>
          <p>{tried.refused.detail}</p>
        </Notice>
      )}
      {items.length === 0 ? <p>There is none.</p> : <Table tokens={items} now={Date.now()} />}
      <NextPage path="/tokens" next={next} />
      <NewTokenForm tried={tried} />
    </>
  );
  return page(c, {
    ...{ title: "Tokens", place: "/tokens", body },
    // The answer to a form cannot be asked for again.
    ...(tried === undefined
      ? { live: ["tokens"] }
      : { status: pageStatus(tried.refused.status), retryAfter: tried.refused.retryAfter }),
  });
}

function NewTokenForm({ tried }: { tried: Tried | undefined }) {
  return (
    <>
      <h2>Make a token</h2>
      <form class="stack" method="post" action="/tokens">
        <fieldset>
          <legend>What it is good for</legend>
          {SCOPES.map((scope) => (
            <label class="check">
              <input
                type="checkbox"
                name="scope"
                value={scope}
                checked={tried?.scopes.includes(scope) ?? false}
              />{" "}
              {scope}: {MEANINGS[scope]}
            </label>
          ))}
        </fieldset>
        <label>
          It is good
          <select name="expiresIn">
            {ENDS.map(([seconds, text]) => (
              <option value={seconds} selected={seconds === tried?.expiresIn}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label>
          Note, by which it is found again
          <input name="note" value={tried?.note ?? ""} maxlength={200} />
        </label>
        <button type="submit">Make it</button>
      </form>
    </>
  );
}

/** The secret of a token, which is shown this once. */
export function NewToken({ token }: { token: string }) {
  return (
    <>
      <h1>A new token</h1>
      <p>It is shown this once. To load this page again makes another one beside it.</p>
      <Copyable name="the token" text={token} isBlock />
      <p>
        <a href="/tokens">Tokens</a>
      </p>
    </>
  );
}

function Table({ tokens, now }: { tokens: readonly AdminTokenView[]; now: number }) {
  return (
    <table>
      <caption>In the order of their making</caption>
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">For</th>
          <th scope="col" class="wide">
            Used last
          </th>
          <th scope="col" class="wide">
            Ends
          </th>
          <th scope="col">
            <span class="unseen">What to do</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map(({ id, scopes, note, state, expiresAt, lastUsedAt }) => (
          <tr id={`token-${id}`}>
            <th scope="row" class="long">
              {note ?? <code>{id}</code>}
              {note !== null && (
                <div class="quiet">
                  <code>{id}</code>
                </div>
              )}
              <div class={state === "valid" ? "good" : "quiet"}>{state}</div>
              <div class="narrow quiet">
                used {lastUsedAt === null ? "never" : <TimeAgo time={lastUsedAt} now={now} />}, ends{" "}
                {expiresAt === null ? "when revoked" : <TimeAgo time={expiresAt} now={now} />}
              </div>
            </th>
            <td>{scopes.join(", ")}</td>
            <td class="wide">{lastUsedAt === null ? "never" : <TimeAgo time={lastUsedAt} now={now} />}</td>
            <td class="wide">
              {expiresAt === null ? "when revoked" : <TimeAgo time={expiresAt} now={now} />}
            </td>
            <td>
              <div class="actions">
                {state === "valid" && id !== FORMER && (
                  <a class="button" href={`/tokens/${id}/rotate`} aria-label={`Rotate ${note ?? id}`}>
                    Rotate…
                  </a>
                )}
                {state !== "revoked" && (
                  <a class="button danger" href={`/tokens/${id}/revoke`} aria-label={`Revoke ${note ?? id}`}>
                    Revoke…
                  </a>
                )}
                <a class="button danger" href={`/tokens/${id}/delete`} aria-label={`Delete ${note ?? id}`}>
                  Delete…
                </a>
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
