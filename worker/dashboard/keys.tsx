/** @jsxImportSource hono/jsx */
import { type KeyView, keysSchema } from "../schema/key.ts";
import { NextPage, partQuery } from "./next-page.tsx";
import { page } from "./page.tsx";
import type { Pages } from "./pages.ts";
import { TimeAgo } from "./time-ago.tsx";
import { may } from "./visitor.ts";

/** `/keys`: which enrolment keys there are, and who came in by them. */
export function keysPage(pages: Pages): void {
  pages.show("/keys", async (api, c) => {
    const { items, next } = await api.ask("GET", `/v1/keys${partQuery(c)}`, keysSchema);
    const body = (
      <>
        <h1>Keys</h1>
        <p>
          An enrolment key lets servers in; its secret is shown once, when it is made. Servers that are in
          stay in when their key expires or is taken back.
        </p>
        {items.length === 0 ? (
          <p>There is none.</p>
        ) : (
          <KeyTable
            keys={items}
            now={Date.now()}
            mayTake={may(c, "keys")}
            mayList={may(c, "read", "nodes")}
          />
        )}
        <NextPage path="/keys" next={next} />
      </>
    );
    return page(c, { title: "Keys", place: "/keys", live: ["keys"], body });
  });
}

/** `mayTake`, `mayList`: whether whoever is signed in may take keys back and see servers. */
function KeyTable(props: { keys: readonly KeyView[]; now: number; mayTake: boolean; mayList: boolean }) {
  const { keys, now, mayTake, mayList } = props;
  return (
    <table>
      <caption>In the order of their making</caption>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Servers</th>
          <th scope="col" class="wide">
            For
          </th>
          <th scope="col" class="wide">
            Used last
          </th>
          <th scope="col" class="wide">
            Expires
          </th>
          <th scope="col">
            <span class="unseen">What to do</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <tr id={`key-${key.id}`}>
            <th scope="row">
              <a href={`/keys/${key.id}`}>{nameOf(key) ?? <code>{key.id}</code>}</a>
              {nameOf(key) !== undefined && (
                <div class="quiet">
                  <code>{key.id}</code>
                </div>
              )}
              <div class={key.state === "valid" ? "good" : "quiet"}>{key.state}</div>
              <div class="narrow quiet">
                {[...termsOf(key), "expires "].join(", ")}
                <TimeAgo time={key.expiresAt} now={now} />
              </div>
            </th>
            <td>{mayList ? <a href={`/?key=${key.id}`}>{usesOf(key)}</a> : usesOf(key)}</td>
            <td class="wide">{termsOf(key).join(", ")}</td>
            <td class="wide">
              {key.lastUsedAt === null ? "never" : <TimeAgo time={key.lastUsedAt} now={now} />}
            </td>
            <td class="wide">
              <TimeAgo time={key.expiresAt} now={now} />
            </td>
            <td>
              {mayTake && key.state !== "revoked" && (
                <a
                  class="button danger"
                  href={`/keys/${key.id}/revoke`}
                  aria-label={`Take back key ${nameOf(key) ?? key.id}`}
                >
                  Take back…
                </a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a key is known by to people. */
function nameOf({ note, takesOver, reservation }: KeyView): string | undefined {
  return note ?? (takesOver === null ? undefined : `replaces ${reservation ?? takesOver}`);
}

function usesOf({ uses, maxUses }: KeyView): string {
  return `${uses} of ${maxUses}`;
}

/** What of a key is not as usual, a few words each. */
function termsOf({
  names,
  reservation,
  tags,
  approval,
  allowOverlap,
  ephemeralMinutes,
  takesOver,
}: KeyView): string[] {
  return [
    reservation === null ? undefined : `the name ${reservation}`,
    names === null ? undefined : `names ${names}`,
    takesOver === null ? undefined : `takes the place of ${takesOver}`,
    approval ? "waits for approval" : undefined,
    allowOverlap ? "networks may overlap" : undefined,
    ephemeralMinutes === null ? undefined : `ends after ${ephemeralMinutes} minutes unseen`,
    tags.length === 0 ? undefined : `tags ${tags.join(" ")}`,
  ].filter((term) => term !== undefined);
}
