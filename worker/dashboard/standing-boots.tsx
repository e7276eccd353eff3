/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import type { App } from "../http/context.ts";
import type { FirstBootView } from "../schema/first-boot.ts";
import type { Api } from "./api.ts";
import { bootsOf, nameOf } from "./first-boots.tsx";
import { Notice } from "./page.tsx";
import { sayFor, TimeAgo } from "./time-ago.tsx";
import { may } from "./visitor.ts";

/** How many of the newest first boots are looked through. */
const NEWEST = 50;
/** ms after which nobody waits for a server any more that tells nothing: one that stands still goes on telling it. */
const RECENT_MS = 6 * 3_600_000;
/** ms that a step may take without a word. */
const QUIET_MS = 30 * 60_000;

/** First boots that do not go on, of servers that are in no list yet; none for whoever may not see them. */
export async function askStandingBoots(api: Api, c: Context<App>): Promise<readonly FirstBootView[]> {
  return may(c, "read", "keys") ? bootsOf(api, { limit: String(NEWEST) }) : [];
}

/** Those of the first boots that do not go on, a line each, which leads to the page of its key. `now`: ms since 1970. */
export function StandingBoots({ boots, now }: { boots: readonly FirstBootView[]; now: number }) {
  const standing = boots.flatMap((boot) => {
    const trouble = troubleOf(boot, now - Date.parse(boot.lastAt));
    return trouble === undefined ? [] : [{ boot, trouble }];
  });
  if (standing.length === 0) return null;
  return (
    <Notice kind="warn">
      <ul>
        {standing.map(({ boot, trouble }) => (
          <li>
            <a href={`/keys/${boot.key}`}>
              {nameOf(boot)}: {trouble}
            </a>
            , <TimeAgo time={boot.lastAt} now={now} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** `quietMs`: for how long nothing was told of it. */
function troubleOf({ node, state, step }: FirstBootView, quietMs: number): string | undefined {
  if (node !== null || quietMs > RECENT_MS) return undefined;
  if (state === "failed") return `first boot stands still${step === null ? "" : ` at ${step}`}`;
  return quietMs > QUIET_MS ? `first boot has told nothing for ${sayFor(quietMs)}` : undefined;
}
