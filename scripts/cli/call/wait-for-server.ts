import { nodesSchema } from "../../../worker/schema/lease.ts";
import { shownAs } from "../../../worker/schema/server-words.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import { durationText } from "../terminal/duration.ts";
import { changes } from "./changes.ts";
import { FirstBoots } from "./first-boots.ts";
import { keyInWait } from "./key-in-wait.ts";
import { type ProofOfReach, proofOfReach } from "./proof-of-reach.ts";
import type { Server } from "./server.ts";
import { untilAnswered } from "./until-answered.ts";
import type { Worker } from "./worker.ts";

/** What a server can be waited for to be. */
export const GOALS = ["active", "reachable"] as const;

export type Goal = (typeof GOALS)[number];

/** A server that is what it was waited for to be. */
export interface Arrived {
  readonly server: Server;
  /** Undefined: it was not asked for. */
  readonly proof: ProofOfReach | undefined;
}

/** Which server is waited for: that of the name or, where a key is said, the one that this lets in, whatever its name is. */
export interface Awaited {
  readonly name: string;
  readonly key?: string | undefined;
}

/** What is seen at one look: whether that is enough, and in words. */
interface Seen {
  readonly arrived: Arrived | undefined;
  /** Undefined: it is not there. */
  readonly server: Server | undefined;
  readonly text: string;
}

/**
 * The server, once it is that: `active`: it has its lease, and the controller has let it in; `reachable`: its agent has said
 * besides that all is set up, Docker too, and a packet came back between its containers' network and another server's, unless
 * it is alone. First boots are told meanwhile. A look without an answer is made again. Throws a {@link Failure} when it does
 * not happen within so many seconds, or the key lets nobody in any more.
 */
export async function waitForServer(
  session: Session,
  which: Awaited,
  goal: Goal,
  timeout: number,
): Promise<Arrived> {
  const late = AbortSignal.timeout(timeout * 1000);
  const worker = session.worker(AbortSignal.any([session.signal, late]));
  const { name, key } = which;
  const boots = new FirstBoots(session, worker, key === undefined ? { name } : { key });
  let last = "";
  let seen: Server | undefined;
  const tell = (text: string): void => {
    if (text !== last) session.terminal.note(`${seen?.name ?? name}: ${text}`);
    last = text;
  };
  const lookAtAll = async (): Promise<Arrived | undefined> => {
    const { arrived, server, text } = await look(worker, which, goal);
    if (server !== undefined && server.name !== (seen?.name ?? name))
      session.terminal.note(`The server that the key let in is named ${server.name}, not ${name}.`);
    seen = server;
    // Behind it, so that what the server came through is told whole; nobody was named who came through it long ago.
    if (key !== undefined || arrived === undefined) await boots.tell();
    if (arrived !== undefined) return arrived;
    if (server === undefined && key !== undefined) {
      const { isOver, why } = await keyInWait(worker, key, session.now());
      if (isOver)
        throw new Failure(`${why}. No server came by it, and none can. Another one: meshboot add ${name}`);
      tell(why === undefined ? text : `${text}: ${why}`);
    } else tell(text);
    return undefined;
  };
  try {
    for await (const _ of changes(session, worker, ["servers", "events", "first-boots", "keys"])) {
      const arrived = await untilAnswered(lookAtAll, worker.signal, (reason) =>
        tell(`no answer, it is tried on: ${reason}`),
      );
      if (arrived !== undefined) return arrived;
    }
  } catch (error) {
    if (!late.aborted || session.signal.aborted) throw error;
  }
  throw new Failure(
    `not ${goal} within ${durationText(timeout)}; at last: ${boots.stuck ?? (last || "nothing was heard")}. ${remedy(worker, which, seen)}`,
    boots.stuck === undefined ? EXIT.tooLate : EXIT.standsStill,
  );
}

/** Where to look when it is not there in time. */
function remedy({ deployment }: Worker, { key }: Awaited, server: Server | undefined): string {
  if (server?.state === "pending")
    return `It waits for you: meshboot approve ${server.name}; who it is: meshboot approvals`;
  const places =
    server !== undefined
      ? `meshboot server ${server.name}, meshboot events`
      : key === undefined
        ? "meshboot refusals, meshboot events; meshboot keys has the id of its key, of which wait --key ID tells more"
        : `meshboot refusals, meshboot events, meshboot keys; its first boot: ${deployment.url}/keys/${key}`;
  return `Why: ${places}; docs/node.md has what to look at on the server`;
}

async function look(worker: Worker, { name, key }: Awaited, goal: Goal): Promise<Seen> {
  const asked = new URLSearchParams({ ...(key === undefined ? { name } : { key }), limit: "1" });
  const { value } = await worker.ask("GET", `/v1/nodes?${asked}`, nodesSchema);
  const [server] = value.items;
  if (server === undefined) return { arrived: undefined, server, text: "not there yet" };
  const { state, delivered, failed, report } = server;
  if (state !== "active" || !delivered) return { arrived: undefined, server, text: stateText(server) };
  if (goal === "active") return { arrived: { server, proof: undefined }, server, text: state };
  if (failed !== null || report?.["state"] !== "ok")
    return { arrived: undefined, server, text: stateText(server) };
  const proof = await proofOfReach(worker, server);
  const isProven = proof.kind === "answered" || proof.kind === "alone";
  return { arrived: isProven ? { server, proof } : undefined, server, text: proofText(proof) };
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
