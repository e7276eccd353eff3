import { nodesSchema } from "../../../worker/schema/lease.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { stateOf } from "../server-text.ts";
import type { Session } from "../session.ts";
import { durationText } from "../terminal/duration.ts";
import { changes } from "./changes.ts";
import type { Server } from "./server.ts";

/** What a server can be waited for to be. */
export const GOALS = ["active", "reachable"] as const;

export type Goal = (typeof GOALS)[number];

/**
 * The server, once it is that: `active`: it has its lease, and the controller has let it in; `reachable`: its agent has said
 * besides that all is set up, Docker too. `which`: by its name, or by the id of the key that let it in. Throws a
 * {@link Failure} when that does not happen within so many seconds.
 */
export async function waitForServer(
  session: Session,
  which: { readonly name: string } | { readonly key: string },
  goal: Goal,
  timeout: number,
): Promise<Server> {
  const worker = session.worker();
  const asked = new URLSearchParams({ ...which, limit: "1" });
  const late = AbortSignal.timeout(timeout * 1000);
  let seen = "";
  try {
    for await (const _ of changes(session, ["servers", "events"], AbortSignal.any([session.signal, late]))) {
      const { value } = await worker.ask("GET", `/v1/nodes?${asked}`, nodesSchema);
      const [server] = value.items;
      if (server !== undefined && isThere(server, goal)) return server;
      const now = server === undefined ? "not there yet" : stateText(server);
      if (now !== seen) session.terminal.note(`${"name" in which ? which.name : "the server"}: ${now}`);
      seen = now;
    }
  } catch (error) {
    if (!late.aborted || session.signal.aborted) throw error;
  }
  throw new Failure(
    `not ${goal} within ${durationText(timeout)}; at last: ${seen || "nothing was heard"}. Why: meshboot refusals, meshboot events; docs/node.md has what to look at on the server`,
    EXIT.tooLate,
  );
}

function isThere({ state, delivered, failed, report }: Server, goal: Goal): boolean {
  if (state !== "active" || !delivered) return false;
  return goal === "active" || (failed === null && report?.["state"] === "ok");
}

function stateText(server: Server): string {
  const { delivered, failed, report } = server;
  const state = stateOf(server);
  if (failed !== null) return `${state}${failed.step === null ? "" : ` at ${failed.step}`}`;
  if (!delivered) return `${state}, the controller was not told yet`;
  return report === null ? `${state}, its agent has not reported yet` : state;
}
