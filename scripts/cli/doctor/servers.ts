import type { WorkerHealth } from "../../../worker/schema/health.ts";
import { nodesSchema } from "../../../worker/schema/lease.ts";
import { allPages } from "../call/pages.ts";
import type { Server } from "../call/server.ts";
import { askSilences } from "../call/silences.ts";
import type { Worker } from "../call/worker.ts";
import type { Finding } from "./finding.ts";

/** So many servers of a kind are named. */
const NAMED = 20;
/** So many servers are asked whether they are behind. */
const COMPARED = 1000;

/** What is said of servers in a state. */
const STATES = [
  {
    state: "failed",
    level: "FAIL",
    what: (server: Server) => `stopped${server.failed?.step ? ` at ${server.failed.step}` : ""}`,
    remedy: ({ name }: Server) => `The end of its log: meshboot server ${name}.`,
  },
  {
    state: "offline",
    level: "FAIL",
    what: () => "not heard for three hours and a half, or longer",
    remedy: () =>
      "Is it switched on, and does it reach the Worker? For good: meshboot replace, retire or delete.",
  },
  {
    state: "stale",
    level: "FAIL",
    what: () => "not heard for a week, or longer",
    remedy: () => "If it is gone: meshboot replace, retire or delete.",
  },
  {
    state: "pending",
    level: "warn",
    what: () => "waits for approval",
    remedy: ({ name }: Server) =>
      `Who it is: meshboot approvals; then meshboot approve ${name}, or meshboot delete ${name}.`,
  },
] as const;

/** Servers that need somebody. `counts`: how many are in each state, as /healthz says. */
export async function* examineServers(
  worker: Worker,
  counts: WorkerHealth["nodes"],
): AsyncGenerator<Finding> {
  for (const { state, level, what, remedy } of STATES) {
    const count = counts?.[state] ?? 0;
    if (count === 0) continue;
    const { items } = await allPages(worker, "/v1/nodes", nodesSchema, { state }, { most: NAMED });
    for (const server of items)
      yield { level, thing: server.name, saw: what(server), remedy: remedy(server) };
    if (count > items.length)
      yield {
        level,
        thing: "servers",
        saw: `${count - items.length} more are ${state}`,
        remedy: `All of them: meshboot servers --state ${state}.`,
      };
  }
  const { items, document } = await allPages(worker, "/v1/nodes", nodesSchema, {}, { most: COMPARED });
  const silences = await askSilences(worker);
  yield* examineFindings(items);
  yield* examineSilences(items, silences);
  const sound = items.filter(
    (server) => isHeard(server) && server.worstFinding?.level !== "fault" && !silences.has(server.node),
  );
  const unreported = sound.filter(({ report }) => report === null).map(({ name }) => name);
  yield {
    level: "ok",
    thing: "servers",
    saw: [
      `${sound.length - unreported.length} are well${document.next === null ? "" : ` of the first ${items.length}: of the others it was not looked at whether they are behind`}`,
      ...(unreported.length === 0 ? [] : [`has not reported yet: ${listOf(unreported)}`]),
    ].join("; "),
  };
  const behind = items.filter((server) => server.behind === true).map(({ name }) => name);
  if (behind.length > 0)
    yield {
      level: "warn",
      thing: "agents",
      saw: `behind: ${listOf(behind)}`,
      remedy: "On each of them, as root: meshboot upgrade.",
    };
  const untold = items
    .filter(({ delivered, state }) => !delivered && state === "active")
    .map(({ name }) => name);
  if (untold.length > 0)
    yield {
      level: "warn",
      thing: "controller",
      saw: `not told yet of ${listOf(untold)}`,
      remedy: "The Worker tries again by itself; when it stays so, look at the controller: meshboot pool.",
    };
}

function listOf(names: readonly string[]): string {
  const more = names.length - NAMED;
  return `${names.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Whether it runs by what it says itself: what stopped, or is not heard, has had its line. */
function isHeard({ state, failed }: Server): boolean {
  return state === "active" && failed === null;
}

/** Whom others do not reach, or who reaches nobody. */
function* examineSilences(
  servers: readonly Server[],
  silences: ReadonlyMap<string, string>,
): Generator<Finding> {
  const silent = servers.flatMap((server) => {
    const saw = silences.get(server.node);
    return saw === undefined || !isHeard(server) ? [] : [{ name: server.name, saw }];
  });
  for (const { name, saw } of silent.slice(0, NAMED))
    yield {
      level: "warn",
      thing: name,
      saw,
      remedy: `Whom it reaches: meshboot reach ${name}. There, as root: meshboot doctor.`,
    };
  if (silent.length > NAMED)
    yield {
      level: "warn",
      thing: "servers",
      saw: `${silent.length - NAMED} more miss answers, or do not answer`,
      remedy: "Who misses whom: meshboot reach --silent.",
    };
}

/** What the servers' own doctors found. */
function* examineFindings(servers: readonly Server[]): Generator<Finding> {
  const found = servers.flatMap((server) =>
    server.worstFinding === null || !isHeard(server) ? [] : [{ name: server.name, ...server.worstFinding }],
  );
  for (const { name, level, link } of found.slice(0, NAMED))
    yield {
      level: level === "fault" ? "FAIL" : "warn",
      thing: name,
      saw: `${level} at ${link}, by its own doctor`,
      remedy: `What it saw, and what to do: meshboot server ${name}.`,
    };
  if (found.length > NAMED)
    yield {
      level: found.slice(NAMED).some(({ level }) => level === "fault") ? "FAIL" : "warn",
      thing: "servers",
      saw: `the doctors of ${found.length - NAMED} more found something`,
      remedy: "All of them: meshboot servers.",
    };
}
