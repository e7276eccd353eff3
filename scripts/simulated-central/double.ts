import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { type GeneratedIdentity, generateIdentity } from "../identity/generate.ts";
import { readJson, sendJson } from "./http.ts";
import { configureNode } from "./node-config.ts";
import type { CentralState } from "./state.ts";

const ASK = /^\/double\/network\/([0-9a-f]{16})\/node\/([0-9a-f]{10})$/;
const askBody = z.object({ identity: z.string().regex(/^[0-9a-f]{10}:0:[0-9a-f]{128}$/) });

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
 * What the test double of zerotier-one asks: `POST /double/identity` for a genuine identity, and
 * `POST /double/network/:network/node/:node` with its public identity for its configuration, which it repeats every
 * second. No token: a real node proves itself by its identity, which is not simulated. False: no such path.
 */
export async function answerDouble(
  state: CentralState,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
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
  const [, network = "", node = ""] = asked;
  const { identity } = parsed.data;
  const physicalAddress = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const config = configureNode(state.networks.get(network), { node, identity, physicalAddress }, now());
  sendJson(response, 200, config);
  return true;
}
