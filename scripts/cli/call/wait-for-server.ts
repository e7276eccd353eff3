import { nodesSchema } from "../../../worker/schema/lease.ts";
import { shownAs } from "../../../worker/schema/server-words.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import { durationText } from "../terminal/duration.ts";
import { changes } from "./changes.ts";
import { FirstBoots } from "./first-boots.ts";
import { type ProofOfReach, proofOfReach } from "./proof-of-reach.ts";
import type { Server } from "./server.ts";

/** What a server can be waited for to be. */
export const GOALS = ["active", "reachable"] as const;

export type Goal = (typeof GOALS)[number];

/** A server that is what it was waited for to be. */
export interface Arrived {
  readonly server: Server;
  /** Undefined: it was not asked for. */
  readonly proof: ProofOfReach | undefined;
}

/** What is seen at one look: whether that is enough, and in words. */
interface Seen {
  readonly arrived: Arrived | undefined;
  /** Undefined: it is not there. */
  readonly name: string | undefined;
  readonly text: string;
}

/**
 * The server, once it is that: `active`: it has its lease, and the controller has let it in; `reachable`: its agent has said
 * besides that all is set up, Docker too, and a packet came back between its containers' network and another server's, unless
 * it is alone. `which`: by its name, or by the id of the key that lets it in, whose first boots are told then. Throws a
 * {@link Failure} when that does not happen within so many seconds.
 */
export async function waitForServer(
  session: Session,
  which: { readonly name: string } | { readonly key: string },
  goal: Goal,
  timeout: number,
): Promise<Arrived> {
  const asked = new URLSearchParams({ ...which, limit: "1" });
  const boots = "key" in which ? new FirstBoots(session, which.key) : undefined;
  const kinds = ["servers", "events", ...(boots === undefined ? [] : ["first-boots"])];
  const late = AbortSignal.timeout(timeout * 1000);
  let last = "";
  let seen: string | undefined;
  try {
    for await (const _ of changes(session, kinds, AbortSignal.any([session.signal, late]))) {
      const { arrived, name, text } = await look(session, asked, goal);
      seen = name;
      // Behind it, so that what the server came through is told whole.
      await boots?.tell();
      if (arrived !== undefined) return arrived;
      if (text !== last) session.terminal.note(`${"name" in which ? which.name : "the server"}: ${text}`);
      last = text;
    }
  } catch (error) {
    if (!late.aborted || session.signal.aborted) throw error;
  }
  const stuck = boots?.stuck;
  throw new Failure(
    `not ${goal} within ${durationText(timeout)}; at last: ${stuck ?? (last || "nothing was heard")}. Why: ${seen === undefined ? "meshboot refusals" : `meshboot server ${seen}`}, meshboot events; docs/node.md has what to look at on the server`,
    stuck === undefined ? EXIT.tooLate : EXIT.standsStill,
  );
}

async function look(session: Session, asked: URLSearchParams, goal: Goal): Promise<Seen> {
  const worker = session.worker();
  const { value } = await worker.ask("GET", `/v1/nodes?${asked}`, nodesSchema);
  const [server] = value.items;
  if (server === undefined) return { arrived: undefined, name: undefined, text: "not there yet" };
  const { name, state, delivered, failed, report } = server;
  if (state !== "active" || !delivered) return { arrived: undefined, name, text: stateText(server) };
  if (goal === "active") return { arrived: { server, proof: undefined }, name, text: state };
  if (failed !== null || report?.["state"] !== "ok")
    return { arrived: undefined, name, text: stateText(server) };
  const proof = await proofOfReach(worker, server);
  const isProven = proof.kind === "answered" || proof.kind === "alone";
  return { arrived: isProven ? { server, proof } : undefined, name, text: proofText(proof) };
}

function stateText(server: Server): string {
  const { delivered, failed, report } = server;
  const state = shownAs(server);
  if (failed !== null) return `${state}${failed.step === null ? "" : ` at ${failed.step}`}`;
  if (!delivered) return `${state}, the controller was not told yet`;
  return report === null ? `${state}, its agent has not reported yet` : state;
}

/** What is known of whether others reach it, behind its name. */
export function proofText(proof: ProofOfReach): string {
  switch (proof.kind) {
    case "answered":
      return `${proof.to} has answered ${proof.from}`;
    case "silent":
      return `set up, and no answer between it and ${proof.others.join(", ")}`;
    case "alone":
      return "set up, and alone in the mesh: nobody is there yet who could reach it";
    case "untried":
      return "set up, and no server has probed it yet: the first probe comes a minute after its report";
  }
}
