/** @jsxImportSource hono/jsx */
import type { z } from "zod";
import type { userDataSchema } from "../schema/user-data.ts";
import { Copyable } from "./copyable.tsx";
import { FirstBoots } from "./first-boots.tsx";
import { Moment } from "./moment.tsx";
import { Notice } from "./page.tsx";

/**
 * The user-data, which is shown this once. `origin`: this Worker's, as servers are to reach it; `mayList`: whether whoever is signed in
 * may see servers.
 */
export function MadeUserData(props: {
  made: z.output<typeof userDataSchema>;
  origin: string;
  mayList: boolean;
}) {
  const { made, origin, mayList } = props;
  const key = /mbk_[A-Za-z0-9_-]{22}/.exec(made.userData)?.[0] ?? "";
  // Of all providers there is nothing to compare it with.
  const limits = made.limits.length === 1 ? made.limits : [];
  return (
    <>
      <h1>User-data for the server</h1>
      <p>
        Whoever has it can let in {made.key.maxUses === 1 ? "one server" : `${made.key.maxUses} servers`}{" "}
        until <Moment time={made.key.expiresAt} />. It is shown this once.
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
