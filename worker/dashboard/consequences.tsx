/** @jsxImportSource hono/jsx */
import type { EndingView } from "../schema/ending.ts";
import { Moment } from "./moment.tsx";
import { inPageWords } from "./page-words.ts";

/** How the API says that a server comes in under a name that is kept: here a form makes such a key. */
const BY_RESERVATION = /a key with "reservation": "([^"]+)" \(POST \/v1\/user-data\)/;

/** One thing that an end of a lease breaks or leaves, in words of pages. `mayAdd`: whether whoever is signed in may add servers. */
export function Consequence({ text, mayAdd }: { text: string; mayAdd: boolean }) {
  const [call, name] = BY_RESERVATION.exec(text) ?? [];
  if (!mayAdd || call === undefined || name === undefined) return <li>{inPageWords(text)}</li>;
  const [before, after] = text.split(call);
  return (
    <li>
      {before}
      <a href={`/add?${new URLSearchParams({ reserved: name })}`}>“Add a server”</a>, with that name chosen as
      the reserved one{after}
    </li>
  );
}

/** What the end of a lease breaks, and what stays. `mayAdd`: whether whoever is signed in may add servers. */
export function Consequences({ ending, mayAdd }: { ending: EndingView; mayAdd: boolean }) {
  return (
    <>
      <h2>What does not work any more</h2>
      <ul>
        {ending.breaks.map((text) => (
          <Consequence text={text} mayAdd={mayAdd} />
        ))}
      </ul>
      {ending.stays.length > 0 && (
        <>
          <h2>What stays</h2>
          <ul>
            {ending.stays.map((text) => (
              <Consequence text={text} mayAdd={mayAdd} />
            ))}
          </ul>
        </>
      )}
      <p>
        {ending.freeAt === null ? (
          `Slot ${ending.slot} is kept.`
        ) : (
          <>
            Slot {ending.slot} goes to no other server before <Moment time={ending.freeAt} />.
          </>
        )}
      </p>
    </>
  );
}
