/** @jsxImportSource hono/jsx */
import { type DifferenceView, differenceSchema } from "../schema/difference.ts";
import { Decide } from "./decide.tsx";
import { Notice, page } from "./page.tsx";
import type { Pages } from "./pages.ts";

/** What differs, in words; the same as the API's description. */
const WORDS = {
  missing: "is no member of the network",
  "made-anew": "was deleted there, and is not let in again",
  drifted: "has not the addresses of its lease",
  "still-authorized": "is let in there, though its lease is not active",
  "taken-out-there": "was taken out there: your word, which counts here too",
  "let-in-there": "was let in there: your word, which counts here too",
} as const satisfies Record<DifferenceView["members"][number]["difference"], string>;

/** `/controller/drift`: what the controller has otherwise than it should, and by its form that is put right. */
export function driftPage(pages: Pages): void {
  pages.show("/controller/drift", async (api, c) => {
    const found = await api.ask("POST", "/v1/reconcile?dryRun=true", differenceSchema);
    return page(c, { title: "Compared", place: "/controller", body: <Compared found={found} /> });
  });

  pages.act("/controller/drift", async (api, c) => {
    const found = await api.ask("POST", "/v1/reconcile", differenceSchema);
    return page(c, { title: "Put right", place: "/controller", body: <Repaired found={found} /> });
  });
}

/** How much there is that Meshboot puts right. */
function countOf({ settings, members, routes }: DifferenceView): number {
  return settings.length + members.length + routes.missing.length + routes.leftOver.length;
}

function Compared({ found }: { found: DifferenceView }) {
  return (
    <>
      <h1>What differs at the controller</h1>
      <Differences found={found} />
      {countOf(found) === 0 ? (
        <p>
          <a class="button" href="/controller">
            Controller
          </a>
        </p>
      ) : (
        <Decide action="/controller/drift" done="Put it right" back="/controller" isHarmless />
      )}
    </>
  );
}

function Repaired({ found }: { found: DifferenceView }) {
  return (
    <>
      <h1>Put right</h1>
      <p>The controller hears of it within seconds. This was found:</p>
      <Differences found={found} />
      <p>
        <a class="button" href="/controller">
          Controller
        </a>
      </p>
    </>
  );
}

function Differences({ found }: { found: DifferenceView }) {
  const { settings, faults, members, unread, routes } = found;
  const words = [
    ...settings.map((setting) => `the network's setting “${setting}” is not as the mesh needs it`),
    ...members.map(({ name, slot, difference }) => `${name} (slot ${slot}) ${WORDS[difference]}`),
    ...routes.missing.map((route) => `the managed route ${routeText(route)} is missing`),
    ...routes.leftOver.map((route) => `the managed route ${routeText(route)} is left over`),
  ];
  return (
    <>
      {faults.length + unread.length > 0 && (
        <Notice>
          <p>Only you can put right, at the controller:</p>
          <ul>
            {faults.map((fault) => (
              <li>{fault}</li>
            ))}
            {unread.map((member) => (
              <li>member {member} cannot be read</li>
            ))}
          </ul>
        </Notice>
      )}
      {words.length === 0 ? (
        <Notice kind="good">
          <p>Nothing that Meshboot would put right.</p>
        </Notice>
      ) : (
        <ul>
          {words.map((word) => (
            <li>{word}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function routeText({ target, via }: { target: string; via: string | null }): string {
  return via === null ? target : `${target} by ${via}`;
}
