/** @jsxImportSource hono/jsx */
import type { EndingView } from "../schema/ending.ts";
import { Moment } from "./moment.tsx";
import { inPageWords } from "./page-words.ts";

/** What the end of a lease breaks, and what stays. */
export function Consequences({ ending }: { ending: EndingView }) {
  return (
    <>
      <h2>What does not work any more</h2>
      <ul>
        {ending.breaks.map((text) => (
          <li>{inPageWords(text)}</li>
        ))}
      </ul>
      {ending.stays.length > 0 && (
        <>
          <h2>What stays</h2>
          <ul>
            {ending.stays.map((text) => (
              <li>{inPageWords(text)}</li>
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
