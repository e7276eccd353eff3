import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { type GeneratedIdentity, generateIdentity } from "../identity/generate.ts";
import { readJson, sendJson } from "./http.ts";
import { configureNode, pushedTo } from "./node-config.ts";
import type { Pushes } from "./pushes.ts";
import type { CentralState } from "./state.ts";

const ASK = /^\/double\/network\/([0-9a-f]{16})\/node\/([0-9a-f]{10})(\/push)?$/;
const askBody = z.object({
  identity: z.string().regex(/^[0-9a-f]{10}:0:[0-9a-f]{128}$/),
  answered: z.looseObject({ status: z.enum(["OK", "ACCESS_DENIED", "NOT_FOUND"]) }).optional(),
});

let ahead: Promise<GeneratedIdentity> | undefined;

/** A new identity. The one after it is made ahead, as a server's own processor would make it in no time. */
function nextIdentity(): Promise<GeneratedIdentity> {
  const identity = ahead ?? generateIdentity();
  ahead = identity.then(
    () => generateIdentity(),
    () => generateIdentity(),
  );
  return identity;
}

/**
 * What the test double of zerotier-one asks: `POST /double/identity` for a genuine identity;
 * `POST /double/network/:network/node/:node` with its public identity for its configuration; and the same with `/push` and
 * its last answer to wait for another one (204: none came for a while). No token: a real node proves itself by its identity, which is not simulated. False: no such path.
 */
export async function answerDouble(
  state: CentralState,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  pushes: Pushes,
  now: () => number,
): Promise<boolean> {
  const asked = ASK.exec(path);
  if (asked === null && path !== "/double/identity") return false;
  if (request.method !== "POST") {
    sendJson(response, 405, { message: "Only POST is answered here" });
    return true;
  }
  const body = await readJson(request);
  if (asked === null) {
    sendJson(response, 200, await nextIdentity());
    return true;
  }
  const parsed = askBody.safeParse(body);
  if (!parsed.success) {
    sendJson(response, 400, {
      message: 'The body must be {"identity":"<node>:0:<128 hex>"}, a public identity in lower case',
    });
    return true;
  }
  const [, network = "", node = "", push] = asked;
  const { identity, answered } = parsed.data;
  if (push !== undefined) {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const look = () => pushedTo(state.networks.get(network), { node, identity }, answered, now());
    const config = await pushes.wait(look, gone.signal);
    if (!gone.signal.aborted) sendJson(response, config === undefined ? 204 : 200, config);
    return true;
  }
  const physicalAddress = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const config = configureNode(state.networks.get(network), { node, identity, physicalAddress }, now());
  sendJson(response, 200, config);
  return true;
}
