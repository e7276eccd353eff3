/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";
import type { z } from "zod";
import type { userDataSchema } from "../schema/user-data.ts";
import { Copyable } from "./copyable.tsx";
import { FirstBoots } from "./first-boots.tsx";
import { Moment } from "./moment.tsx";
import { Notice } from "./page.tsx";

/** The enrolment key in user-data. */
export function secretIn(userData: string): string {
  return /mbk_[A-Za-z0-9_-]{22}/.exec(userData)?.[0] ?? "";
}

/**
 * The user-data, which is shown this once. `origin`: this Worker's, as servers are to reach it; `mayList`: whether whoever is signed in
 * may see servers; `children`: what is to be said of that server besides.
 */
export function MadeUserData(props: {
  made: z.output<typeof userDataSchema>;
  origin: string;
  mayList: boolean;
  title?: string;
  children?: Child;
}) {
  const { made, origin, mayList, title = "User-data for the server", children } = props;
  const key = secretIn(made.userData);
  // Of all providers there is nothing to compare it with.
  const limits = made.limits.length === 1 ? made.limits : [];
  return (
    <>
      <h1>{title}</h1>
      <p>
        Whoever has it can let in {made.key.maxUses === 1 ? "one server" : `${made.key.maxUses} servers`}{" "}
        until <Moment time={made.key.expiresAt} />. It is shown this once.
      </p>
      {children}
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
        <span class="unscripted">Without a script this page does not follow it. </span>
        <a href={`/keys/${made.key.id}`}>The page of its key</a> has it each time that it is loaded.
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
