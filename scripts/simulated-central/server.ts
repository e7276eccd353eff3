import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { originHere } from "../origin.ts";
import { type CallLog, makeCallLog } from "./call-log.ts";
import { answerDouble } from "./double.ts";
import { FACES, type Face, type SimulatedKind } from "./face.ts";
import { type Fault, type Faults, makeFaults } from "./faults.ts";
import { BodyTooLong, readJson, sendJson, sendText } from "./http.ts";
import { makePushes } from "./pushes.ts";
import { makeRateLimit, type RateLimit } from "./rate-limit.ts";
import { answerSimulation } from "./sim.ts";
import { type Snapshot, storedNetworks } from "./snapshot.ts";
import { type CentralState, createNetwork, newUserId } from "./state.ts";
import { keepState, readState } from "./state-file.ts";

/** How a simulated Central is started. */
export interface CentralOptions {
  /** In which API it speaks; Central's v1 when left out. */
  readonly kind?: SimulatedKind;
  /** 127.0.0.1 when left out. */
  readonly host?: string;
  /** 0 or left out: any free port. */
  readonly port?: number;
  /** Ids of the networks to make when they are absent; they belong to the token's account. */
  readonly networks?: readonly string[];
  readonly token: string;
  /** A valid token of another account, which has no right to these networks. */
  readonly otherToken?: string;
  /** Calls in any sliding second of each token; 20 as on ZeroTier's free plan. */
  readonly limit?: number;
  /** How long each call of the API takes. */
  readonly latencyMs?: number;
  /** Keeps networks and members in this file across restarts. */
  readonly stateFile?: string;
  readonly now?: () => number;
}

/** A simulated Central that listens. */
export interface RunningCentral {
  /** The API's base, `http://127.0.0.1:9080/api/v1`. */
  readonly url: string;
  /** The base of `/sim` and `/double`. */
  readonly origin: string;
  readonly port: number;
  readonly state: CentralState;
  readonly faults: Faults;
  readonly calls: CallLog;
  /** What `GET /sim/state` returns. */
  snapshot(): Snapshot;
  /** Breaks what is under way and resolves when the port is free. */
  close(): Promise<void>;
}

interface Account {
  readonly user: string;
  readonly limit: RateLimit;
}

const FREE_PLAN_LIMIT = 20;

/** Starts the simulated Central. Rejects when it cannot listen or cannot read its state file. */
export async function startCentral(options: CentralOptions): Promise<RunningCentral> {
  const now = options.now ?? Date.now;
  const face: Face = FACES[options.kind ?? "central-v1"];
  const state: CentralState =
    options.stateFile === undefined ? { networks: new Map() } : readState(options.stateFile);
  const owner = [...state.networks.values()][0]?.ownerId ?? newUserId();
  for (const id of options.networks ?? []) {
    if (!state.networks.has(id)) createNetwork(state, id, owner, now());
  }
  const accounts = new Map<string, Account>();
  const limit = options.limit ?? FREE_PLAN_LIMIT;
  accounts.set(options.token, { user: owner, limit: makeRateLimit(limit) });
  if (options.otherToken !== undefined) {
    accounts.set(options.otherToken, { user: newUserId(), limit: makeRateLimit(limit) });
  }
  const faults = makeFaults();
  const calls = makeCallLog();
  const pushes = makePushes();
  const snapshot = (): Snapshot => ({
    networks: storedNetworks(state),
    calls: calls.counts(),
    faults: faults.list(),
  });
  const simulation = { faults, snapshot, resetCounters: calls.reset };

  async function answerCentral(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const method = request.method ?? "GET";
    calls.record(`${method} ${withoutIds(path)}`, now());
    if (options.latencyMs) await sleep(options.latencyMs);
    const account = accounts.get(face.tokenOf(request));
    const rate = face.isLimited ? account?.limit.admit(now()) : undefined;
    const headers = rate?.headers ?? {};
    if (rate?.admitted === false) {
      calls.recordRefusal();
      const body = { type: "rate_limit", message: "Too many requests" };
      return sendJson(response, 429, body, headers);
    }
    const body = await readJson(request);
    const fault = faults.take(method, path);
    if (fault !== undefined && (await answerFault(fault, response, headers))) return;
    const answer = face.answer(state, { method, path, user: account?.user, body }, now());
    if (fault?.kind === "lost") request.socket.destroy();
    else sendJson(response, answer.status, answer.body, headers);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pathname = (request.url ?? "/").replace(/[?#].*$/, "");
    try {
      if (await answerSimulation(simulation, pathname, request, response)) return;
      if (await answerDouble(state, pathname, request, response, pushes, now)) return;
      if (pathname.startsWith(`${face.base}/`) || (face.base !== "" && pathname === face.base))
        return await answerCentral(pathname.slice(face.base.length), request, response);
      sendJson(response, 404, {
        message: `Nothing here. The API is under ${face.base}, the state at /sim/state.`,
      });
    } catch (error) {
      if (error instanceof BodyTooLong) sendJson(response, 413, { message: "The body is too long" });
      else if (!request.socket.destroyed) throw error;
    }
  }

  const keeper = options.stateFile === undefined ? undefined : keepState(options.stateFile, state);
  const server = createServer((request, response) => {
    response.on("close", () => {
      if (request.method === "GET") return;
      keeper?.later();
      if (!/^\/(?:sim|double)\//.test(request.url ?? "")) pushes.changed();
    });
    void answer(request, response);
  });
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const origin = originHere(host, port);

  return {
    url: `${origin}${face.base}`,
    origin,
    port,
    state,
    faults,
    calls,
    snapshot,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      keeper?.last();
    },
  };
}

/** Does what the fault says instead of the call; false when the call is to be answered after all. */
async function answerFault(
  fault: Fault,
  response: ServerResponse,
  headers: Record<string, string>,
): Promise<boolean> {
  switch (fault.kind) {
    case "status":
      sendJson(response, fault.status ?? 500, { type: "internal", message: "Ordered fault" }, headers);
      return true;
    case "text":
      sendText(response, fault.status ?? 200, "text/html", "<html>No JSON here</html>\n", headers);
      return true;
    case "timeout":
      return true;
    case "delay":
      await sleep(fault.ms ?? 1000);
      return false;
    case "lost":
      return false;
  }
}

function withoutIds(path: string): string {
  return path.replace(/\/network\/[^/]+/, "/network/:network").replace(/\/member\/[^/]+$/, "/member/:node");
}
